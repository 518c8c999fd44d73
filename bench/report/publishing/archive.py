"""What makes a PDF one that can be archived (PDF/A-3a) and read aloud (PDF/UA-1).

WeasyPrint writes one of the two at a time. Here its PDF/A gets what PDF/UA asks for, and what
neither has: scopes of headers, formulas tagged as such, links that say where they lead, and running
heads that are not read aloud. A test holds the file against the rules of both that a machine can
check. No machine checks whether the order of reading makes sense, whether a description says what
its figure shows, whether words in another language are marked, and whether colour alone tells
something. The contents are tagged as a list, formulas have words and no MathML, and a watermark
across the page is read.
"""

import hashlib
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping
from copy import copy
from datetime import datetime
from io import BytesIO
from typing import TYPE_CHECKING

import pydyf

if TYPE_CHECKING:
    import weasyprint

VARIANT = "pdf/a-3a"
# PDF/A knows PDF/UA's mark only if the file itself says what it is (ISO 19005-3, 6.6.2.3).
UA_MARK = b"""<rdf:Description xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/" rdf:about="">
<pdfuaid:part>1</pdfuaid:part></rdf:Description>
<rdf:Description rdf:about="" xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/"
 xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#"
 xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#">
<pdfaExtension:schemas><rdf:Bag><rdf:li rdf:parseType="Resource">
<pdfaSchema:schema>PDF/UA identification</pdfaSchema:schema>
<pdfaSchema:namespaceURI>http://www.aiim.org/pdfua/ns/id/</pdfaSchema:namespaceURI>
<pdfaSchema:prefix>pdfuaid</pdfaSchema:prefix>
<pdfaSchema:property><rdf:Seq><rdf:li rdf:parseType="Resource">
<pdfaProperty:name>part</pdfaProperty:name>
<pdfaProperty:valueType>Integer</pdfaProperty:valueType>
<pdfaProperty:category>internal</pdfaProperty:category>
<pdfaProperty:description>The part of ISO 14289 that the file keeps to</pdfaProperty:description>
</rdf:li></rdf:Seq></pdfaSchema:property>
</rdf:li></rdf:Bag></pdfaExtension:schemas></rdf:Description>
</rdf:RDF>"""

Files = Mapping[str, tuple[str, str]]
Finisher = Callable[["weasyprint.Document", pydyf.PDF], None]


def finisher(
    formulae: Collection[str],
    moment: datetime,
    to_attach: Callable[[bytes], Files] | None = None,
) -> Finisher:
    """Return what WeasyPrint calls with the PDF just before it is written.

    Parameters
    ----------
    formulae : collection of str
        Alternative texts of the pictures that are formulas.
    moment : datetime
        Date of the attached files.
    to_attach : callable, optional
        Given the PDF without attached files, returns these: name to text and description.

    Returns
    -------
    callable
        For `weasyprint.Document.write_pdf`.
    """

    def finish(document: "weasyprint.Document", pdf: pydyf.PDF) -> None:
        _name_links(document, pdf)
        _set_heads_aside(pdf)
        elements = [each for each in _dictionaries(pdf) if each.get("Type") == "/StructElem"]
        for element in elements:
            if element["S"] == "/Figure" and getattr(element.get("Alt"), "string", "") in formulae:
                element["S"] = "/Formula"
            elif element["S"] == "/Table":
                _relate_cells(pdf, element)
        _index_headers(pdf, elements)
        for stream in (each for each in pdf.objects if isinstance(each, pydyf.Stream)):
            if stream.extra.get("Subtype") == "/Image":
                stream.extra["Interpolate"] = "false"  # PDF/A shows what is stored, nothing between
            if stream.extra.get("Type") == "/Metadata":
                (text,) = stream.stream
                stream.stream, stream.compress = [text.replace(b"</rdf:RDF>", UA_MARK)], False
            _compress(stream)
        if to_attach:
            _attach(pdf, to_attach(_draft(pdf)), moment)

    return finish


def _dictionaries(pdf: pydyf.PDF) -> Iterator[pydyf.Dictionary]:
    return (each for each in pdf.objects if isinstance(each, pydyf.Dictionary))


def _referred(pdf: pydyf.PDF, reference: bytes) -> pydyf.Object:
    return pdf.objects[int(reference.split()[0])]


def _children(pdf: pydyf.PDF, element: pydyf.Dictionary) -> Iterator[pydyf.Dictionary]:
    """Yield the elements of the structure below one; content itself is a number."""
    for kid in element["K"]:
        if isinstance(kid, bytes) and "S" in (found := _referred(pdf, kid)):
            yield found


def _name_links(document: "weasyprint.Document", pdf: pydyf.PDF) -> None:
    """Let each link be one area of its page, with its text as its description.

    WeasyPrint makes one of every box inside a link as well, and describes it by its address.
    """
    boxes = [box for page in document.pages for *_, box in page.links]
    inner = [
        child.link_annotation
        for box in boxes
        for child in box.descendants()
        if child is not box and child.link_annotation
    ]
    for box in boxes:
        words = "".join(part.text for part in box.descendants() if hasattr(part, "text"))
        if words.strip():
            box.link_annotation["Contents"] = pydyf.String(words.strip())
    gone = {annotation.reference for annotation in inner}
    gone |= {each.reference for each in _dictionaries(pdf) if each.get("Obj") in gone}
    for each in _dictionaries(pdf):
        for key in {"Annots", "K"} & set(each):
            left = pydyf.Array(kid for kid in each[key] if kid not in gone)
            if key == "K" and len(left) < len(each[key]) and each["S"] == "/Link":
                each["S"] = "/Span"
            each[key] = left
    numbers = {annotation["StructParent"] for annotation in inner}
    tree = _referred(pdf, _structure(pdf)["ParentTree"])
    pairs = zip(tree["Nums"][::2], tree["Nums"][1::2], strict=True)
    tree["Nums"] = pydyf.Array(x for pair in pairs if pair[0] not in numbers for x in pair)


def _set_heads_aside(pdf: pydyf.PDF) -> None:
    """Mark running heads and page numbers as no part of the text.

    WeasyPrint leaves them out of the structure, but marks them as if they stood in it.
    """
    read: set[bytes] = set()
    below = list(_structure(pdf)["K"])
    while below:
        reference = below.pop()
        if reference not in read:
            read.add(reference)
            below += [each.reference for each in _children(pdf, _referred(pdf, reference))]
    aside: dict[bytes, set[int]] = {}
    for each in _dictionaries(pdf):
        if each.get("Type") == "/StructElem" and each.reference not in read:
            numbers = {kid for kid in each["K"] if isinstance(kid, int)}
            aside.setdefault(each["Pg"], set()).update(numbers)
            each.clear()
    tree = _referred(pdf, _structure(pdf)["ParentTree"])["Nums"]
    parents = dict(zip(tree[::2], tree[1::2], strict=True))
    for reference, numbers in aside.items():
        page = _referred(pdf, reference)
        stream = _referred(pdf, page["Contents"]).stream
        for place, item in enumerate(stream):
            if isinstance(item, pydyf.Dictionary) and item.get("MCID") in numbers:
                stream[place - 1 : place + 1] = [
                    b"/Artifact",
                    pydyf.Dictionary({"Type": "/Pagination"}),
                ]
        for number in numbers:
            parents[page["StructParents"]][number] = b"null"


def _relate_cells(pdf: pydyf.PDF, table: pydyf.Dictionary) -> None:
    """Give each header of a table its scope, and each cell its headers.

    Headers in the table's head are of columns; a header across the whole width below it is of the
    rows that follow; any other is of its row.
    """
    rows = [
        (row, part["S"] == "/THead")
        for part in _children(pdf, table)
        for row in _children(pdf, part)
        if row["S"] == "/TR"
    ]
    places = list(_grid(pdf, [row for row, _ in rows]))
    width = 1 + max((column for _, _, columns, _ in places for column in columns), default=0)
    of_columns: dict[int, list[pydyf.String]] = {column: [] for column in range(width)}
    of_rows: dict[int, list[pydyf.String]] = {row: [] for row in range(len(rows))}
    group: list[pydyf.String] = []
    for row, lines, columns, cell in places:
        if cell["S"] == "/TH":
            if rows[row][1]:
                headed = [of_columns[column] for column in columns]
            elif len(columns) == width > 1:
                group, headed = [cell["ID"]], []
            else:
                headed = [of_rows[line] for line in lines if line in of_rows]
            for each in headed:
                each.append(cell["ID"])
            across = rows[row][1] or len(columns) == width > 1
            cell["A"]["Scope"] = "/Column" if across else "/Row"
        else:
            of_column = dict.fromkeys(key for column in columns for key in of_columns[column])
            cell["A"]["Headers"] = pydyf.Array([*group, *of_rows[row], *of_column])


def _grid(
    pdf: pydyf.PDF, rows: list[pydyf.Dictionary]
) -> Iterator[tuple[int, range, range, pydyf.Dictionary]]:
    """Yield each cell with its row, and the rows and columns that it covers."""
    taken: set[tuple[int, int]] = set()
    for row, element in enumerate(rows):
        column = 0
        for cell in _children(pdf, element):
            while (row, column) in taken:
                column += 1
            lines = range(row, row + cell["A"].get("RowSpan", 1))
            columns = range(column, column + cell["A"].get("ColSpan", 1))
            taken |= {(line, each) for line in lines for each in columns}
            yield row, lines, columns, cell


def _index_headers(pdf: pydyf.PDF, elements: list[pydyf.Dictionary]) -> None:
    """List the elements that others name: without the list, a name leads nowhere."""
    named = sorted((each["ID"].string, each.reference) for each in elements if "ID" in each)
    if named:
        pairs = (x for name, reference in named for x in (pydyf.String(name), reference))
        tree = pydyf.Dictionary({"Names": pydyf.Array(pairs)})
        tree["Limits"] = pydyf.Array([pydyf.String(named[0][0]), pydyf.String(named[-1][0])])
        leaves = pydyf.Dictionary({"Kids": pydyf.Array()})
        for each in (tree, leaves):
            pdf.add_object(each)
        leaves["Kids"].append(tree.reference)
        _structure(pdf)["IDTree"] = leaves.reference


def _structure(pdf: pydyf.PDF) -> pydyf.Dictionary:
    return _referred(pdf, pdf.catalog["StructTreeRoot"])


def _compress(stream: pydyf.Stream) -> None:
    """Compress a stream once: pydyf does so whenever it looks at it, three times a file."""
    if stream.compress:
        stream.compress = False
        plain = stream.data.partition(b"stream\n")[2].removesuffix(b"\nendstream")
        data = zlib.compress(plain, 9)
        # a carriage return just before the end of line would be taken for a part of that
        stream.stream = [data + b"\0" if data.endswith(b"\r") else data]
        stream.extra = {**stream.extra, "Filter": "/FlateDecode"}


def _draft(pdf: pydyf.PDF) -> bytes:
    """Return the PDF as it stands; writing it would add to it."""
    twin, draft = copy(pdf), BytesIO()
    twin.objects, twin.info = list(pdf.objects), pydyf.Dictionary()
    twin.write(draft)
    return draft.getvalue()


def _attach(pdf: pydyf.PDF, files: Files, moment: datetime) -> None:
    date = pydyf.String(f"D:{moment:%Y%m%d%H%M%S}Z")
    names, associated = pydyf.Array(), pydyf.Array()
    for name, (text, words) in sorted(files.items()):
        data = text.encode()
        kind = "application#2fjson" if name.endswith(".json") else "text#2fplain"
        about = {
            "Size": len(data),
            "CheckSum": f"<{hashlib.md5(data, usedforsecurity=False).hexdigest()}>",
            "CreationDate": date,
            "ModDate": date,
        }
        extra = {"Type": "/EmbeddedFile", "Subtype": f"/{kind}", "Params": pydyf.Dictionary(about)}
        stream = pydyf.Stream([data], extra, compress=True)
        _compress(stream)
        pdf.add_object(stream)
        held = {"F": stream.reference, "UF": stream.reference}
        specification = pydyf.Dictionary(
            {
                "Type": "/Filespec",
                "F": pydyf.String(name),
                "UF": pydyf.String(name),
                "EF": pydyf.Dictionary(held),
                "Desc": pydyf.String(words),
                "AFRelationship": "/Data",
            }
        )
        pdf.add_object(specification)
        names += [pydyf.String(name), specification.reference]
        associated.append(specification.reference)
    catalogue = pdf.catalog.setdefault("Names", pydyf.Dictionary())
    catalogue["EmbeddedFiles"] = pydyf.Dictionary({"Names": names})
    pdf.catalog["AF"] = associated
