// Each number opens a window with its source: by mouse, touch, or Enter. In a table or paragraph one number
// can be reached with Tab, the others from there with the arrow keys. Wide tables say that they scroll.
"use strict";
(() => {
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const cells = read("cells"), words = read("words");
  const panel = document.getElementById("window");
  const numbers = "data[data-cell], data[data-cells], data[data-setting], data[data-published], data[data-handed-in], data[data-claim]";
  const parts = new Map([...panel.querySelectorAll("[data-part]")].map((e) => [e.dataset.part, e]));

  const put = (part, lines) => {
    const place = parts.get(part);
    place.replaceChildren(...lines.map((text) => Object.assign(document.createElement("div"), { textContent: text })));
    place.hidden = place.previousElementSibling.hidden = lines.length === 0;
  };
  const list = (text) => (text || "").split(" ").filter(Boolean);
  const named = (label) => `${label}${cells[label] ? ` · ${cells[label].key.slice(0, 12)}` : ""}`;

  const show = (number) => {
    const given = number.dataset, own = list(given.cell || given.cells);
    document.getElementById("window-title").textContent = `${number.textContent.trim()} · ${words.source}`;
    put("values", list(given.values));
    put("cells", own.map(named));
    put("minus", list(given.minus).map(named));
    put("path", [given.path || given.setting || given.published || given.handedIn || "", given.told || ""].filter(Boolean));
    const settings = own.length && cells[own[0]] ? Object.entries(cells[own[0]].settings) : [];
    put("settings", settings.map(([name, value]) => `${name} = ${JSON.stringify(value)}`));
    panel.showPopover();
    const spot = number.getBoundingClientRect(), box = panel.getBoundingClientRect();
    const left = Math.max(8, Math.min(spot.left, document.documentElement.clientWidth - box.width - 8));
    const below = spot.bottom + 6, fits = below + box.height < window.innerHeight;
    panel.style.left = `${left}px`;
    panel.style.top = `${Math.max(8, fits ? below : spot.top - box.height - 6)}px`;
  };

  const groups = new Map();
  for (const number of document.querySelectorAll(numbers)) {
    const home = number.closest("table, p, li, dd") || document.body;
    if (!groups.has(home)) groups.set(home, []);
    groups.get(home).push(number);
    number.setAttribute("role", "button");
    number.setAttribute("aria-haspopup", "dialog");
    number.tabIndex = groups.get(home).length === 1 ? 0 : -1;
    if (!number.dataset.path) number.dataset.told = number.title;
    number.removeAttribute("title");
  }
  document.addEventListener("click", (event) => {
    const number = event.target.closest(numbers);
    if (number) show(number);
  });
  document.addEventListener("keydown", (event) => {
    const number = event.target.closest && event.target.closest(numbers);
    if (!number) return;
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      show(number);
      return;
    }
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const group = groups.get(number.closest("table, p, li, dd") || document.body);
    const next = group[group.indexOf(number) + step];
    if (next) {
      number.tabIndex = -1;
      next.tabIndex = 0;
      next.focus();
    }
  });

  const wide = () => {
    for (const scroller of document.querySelectorAll(".scroller, .equation, .commands")) {
      const over = scroller.scrollWidth > scroller.clientWidth + 1;
      const table = scroller.querySelector("table");
      scroller.classList.toggle("scrolls", over);
      if (over) {
        scroller.tabIndex = 0;
        scroller.setAttribute("role", "region");
        const named = table && table.caption ? `${table.caption.textContent.trim()} ` : "";
        const hint = table ? words.scroll : scroller.matches(".equation") ? words.equation
          : scroller.matches(".commands") ? words.commands : words.figure;
        scroller.setAttribute("aria-label", named + hint);
        scroller.dataset.hint = hint;
      } else {
        for (const name of ["tabindex", "role", "aria-label", "data-hint"]) scroller.removeAttribute(name);
      }
    }
  };
  wide();
  window.addEventListener("resize", wide);
})();
