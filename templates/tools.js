// Tools of the page: light or dark; tables that can be sorted, and copied as CSV or LaTeX.
"use strict";
(() => {
  const words = JSON.parse(document.getElementById("words").textContent);
  const root = document.documentElement, theme = document.getElementById("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const dark = () => (root.dataset.theme || (system.matches ? "dark" : "light")) === "dark";
  const say = () => theme.setAttribute("aria-pressed", String(dark()));
  theme.hidden = !CSS.supports("color", "light-dark(white, black)");
  theme.addEventListener("click", () => {
    root.dataset.theme = dark() ? "light" : "dark";
    try { localStorage.setItem("latent-lab-theme", root.dataset.theme); } catch { /* it holds for this page alone */ }
    say();
  });
  system.addEventListener("change", say);
  say();

  const textOf = (cell) => {
    const copy = cell.cloneNode(true);
    for (const hidden of copy.querySelectorAll("sup, .source")) hidden.remove();
    for (const line of copy.querySelectorAll("br")) line.replaceWith(" ");
    return copy.textContent.replace(/\u2011/g, "-").replace(/\s+/g, " ").trim();
  };
  // Rows of texts, each cell repeated over the columns that it spans.
  const gridOf = (rows) => {
    const grid = rows.map(() => []);
    rows.forEach((row, y) => {
      let x = 0;
      for (const cell of row.cells) {
        while (grid[y][x] !== undefined) x++;
        for (let i = 0; i < cell.rowSpan && y + i < rows.length; i++) for (let j = 0; j < cell.colSpan; j++) {
          grid[y + i][x + j] = i || j ? "" : textOf(cell);
        }
        x += cell.colSpan;
      }
    });
    return grid;
  };
  const csv = (table) => gridOf([...table.rows])
    .map((row) => row.map((text) => (/[",;\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)).join(",")).join("\r\n") + "\r\n";
  const signs = { "\\": "\\textbackslash{}", "{": "\\{", "}": "\\}", "$": "\\$", "&": "\\&", "#": "\\#", "%": "\\%", "_": "\\_",
    "~": "\\textasciitilde{}", "^": "\\textasciicircum{}", "±": "$\\pm$", "−": "$-$", "–": "--", "—": "---", "×": "$\\times$", "<": "$<$", ">": "$>$",
    "≤": "$\\le$", "≥": "$\\ge$", "↑": "$\\uparrow$", "↓": "$\\downarrow$" };
  const escaped = (text) => text.replace(/[\\{}$&#%_~^±−–—×<>≤≥↑↓]/g, (sign) => signs[sign]);
  const latex = (table) => {
    const head = gridOf([...(table.tHead ? table.tHead.rows : [])]);
    const body = gridOf([...table.tBodies].flatMap((part) => [...part.rows]));
    const columns = Math.max(...[...head, ...body].map((row) => row.length));
    const lines = (rows) => rows.map((row) => `${row.map(escaped).join(" & ")} \\\\`).join("\n");
    return `\\begin{tabular}{l${"r".repeat(columns - 1)}}\n\\toprule\n${head.length ? `${lines(head)}\n\\midrule\n` : ""}${lines(body)}\n\\bottomrule\n\\end{tabular}\n`;
  };

  // A number as it was printed; what stands after it is its interval.
  const separators = Object.fromEntries(new Intl.NumberFormat(root.lang).formatToParts(-12345678.9).map((part) => [part.type, part.value]));
  const numberOf = (text) => {
    const found = /^[<−-]?\s*\d[\d.,\u00a0\u202f]*(?:E[−-]?\d+)?/.exec(text);
    if (!found) return null;
    const plain = found[0].replace(/[<\s\u00a0\u202f]/g, "").replaceAll("−", "-").replaceAll(separators.group, "").replace(separators.decimal, ".");
    return Number.isNaN(Number(plain)) ? null : Number(plain);
  };
  const keyOf = (cell) => {
    const value = cell && cell.querySelector("data[value]");
    const text = cell ? textOf(cell) : "";
    return value ? Number(value.value) : numberOf(text) ?? text;
  };
  const collator = new Intl.Collator(root.lang, { numeric: true });
  const compare = (a, b) => {
    if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
    return typeof a === "number" ? a - b : collator.compare(a, b);
  };

  // Rows between two headings are sorted among themselves.
  const isHeading = (row) => row.matches(".group") && (row.querySelector("[colspan], [scope=rowgroup]") || row.cells.length === 1);
  const runsOf = (part) => [...part.rows].reduce((runs, row) => {
    if (isHeading(row)) runs.push([]);
    else runs.at(-1).push(row);
    return runs;
  }, [[]]).filter((run) => run.length > 1);

  const sortable = (table) => table.tHead && !table.closest(".two-up") && ![...table.tBodies].some((part) => part.querySelector("[rowspan]"))
    && [...table.tBodies].some((part) => runsOf(part).length);
  const sort = (table, header, column) => {
    const down = header.getAttribute("aria-sort") === "ascending";
    for (const other of table.tHead.querySelectorAll("[aria-sort]")) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", down ? "descending" : "ascending");
    for (const part of table.tBodies) for (const run of runsOf(part)) {
      const after = run.at(-1).nextSibling;
      const sorted = run.map((row) => ({ row, key: keyOf(row.cells[column]) })).sort((a, b) => (down ? -1 : 1) * compare(a.key, b.key));
      for (const { row } of sorted) part.insertBefore(row, after);
    }
  };

  const status = Object.assign(document.createElement("p"), { className: "said", role: "status" });
  document.body.append(status);
  const copy = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
      status.textContent = words.copied;
    } catch {
      status.textContent = words.uncopied;
    }
    status.classList.add("shown");
    setTimeout(() => status.classList.remove("shown"), 2500);
  };

  for (const table of document.querySelectorAll(".table table")) {
    const bar = Object.assign(document.createElement("div"), { className: "table-tools" });
    for (const [word, make] of [[words.csv, csv], [words.latex, latex]]) {
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: word });
      button.addEventListener("click", () => copy(make(table)));
      bar.append(button);
    }
    table.closest(".scroller").after(bar);
    if (!sortable(table)) continue;
    const last = table.tHead.rows[table.tHead.rows.length - 1];
    if (table.tHead.rows.length > 1 && table.tHead.querySelector("[rowspan]")) continue;
    let column = 0;
    for (const header of last.cells) {
      const own = column;
      column += header.colSpan;
      if (header.tagName !== "TH" || header.colSpan > 1 || !header.textContent.trim()) continue;
      const button = Object.assign(document.createElement("button"), { type: "button", className: "sort" });
      button.append(...header.childNodes);
      header.append(button);
      button.addEventListener("click", () => sort(table, header, own));
    }
  }
  latentLab.csv = csv;
  latentLab.latex = latex;
})();
