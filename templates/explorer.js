// The explorer: linked maps, decoders, walks, confusion matrices and curves, from the data in the page.
"use strict";
(async () => {
  const block = document.getElementById("explorer-data");
  if (!block) return;
  const data = JSON.parse(block.textContent);
  const words = JSON.parse(document.getElementById("explorer-words").textContent);
  const $ = (name) => document.getElementById(`x-${name}`);
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const say = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
  const number = (value, digits = 4) => value.toLocaleString(data.language, { maximumSignificantDigits: digits });
  const coordinate = (value) => value.toLocaleString(data.language, { maximumFractionDigits: 3 });
  const percent = (value) => value.toLocaleString(data.language, { style: "percent", maximumFractionDigits: 1 });
  const make = (tag, fields = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), fields);
    element.append(...children);
    return element;
  };
  const options = (select, labels) => select.replaceChildren(...labels.map((label, k) => make("option", { value: k, textContent: label })));

  // A sheet holds many images; each is cut out of it when it is shown.
  const opened = async (sheet) => {
    const picture = new Image();
    picture.src = sheet.uri;
    await picture.decode();
    const [wide, high] = sheet.side;
    const place = (k) => [(k % sheet.columns) * wide, Math.floor(k / sheet.columns) * high];
    const show = (canvas, k) => {
      canvas.width = wide;
      canvas.height = high;
      canvas.getContext("2d").drawImage(picture, ...place(k), wide, high, 0, 0, wide, high);
      return canvas;
    };
    const thumb = (k, title) => {
      const canvas = show(make("canvas", { className: "x-thumb", title: title || "" }), k);
      canvas.setAttribute("role", "img");
      canvas.setAttribute("aria-label", title || "");
      return canvas;
    };
    const pixels = () => {
      const whole = make("canvas", { width: picture.width, height: picture.height });
      const context = whole.getContext("2d", { willReadFrequently: true });
      context.drawImage(picture, 0, 0);
      return Array.from({ length: sheet.count }, (_, k) => {
        const rgba = context.getImageData(...place(k), wide, high).data;
        return Float32Array.from({ length: wide * high }, (_, i) => 1 - rgba[4 * i] / 255);
      });
    };
    return { show, thumb, pixels, wide, high };
  };
  // Pixels from 0 to 1 as ink on paper.
  const ink = (canvas, values, [wide, high]) => {
    canvas.width = wide;
    canvas.height = high;
    const image = new ImageData(wide, high);
    values.forEach((value, k) => {
      const grey = Math.round(255 * (1 - value));
      image.data.set([grey, grey, grey, 255], 4 * k);
    });
    canvas.getContext("2d").putImageData(image, 0, 0);
  };
  // A canvas as large as it is shown, with coordinates in CSS pixels.
  const sized = (canvas) => {
    const { clientWidth: wide, clientHeight: high } = canvas, ratio = window.devicePixelRatio || 1;
    canvas.width = Math.max(1, Math.round(wide * ratio));
    canvas.height = Math.max(1, Math.round(high * ratio));
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    return { context, wide, high };
  };
  const redrawn = [];
  $("parts").hidden = false;
  $("without").hidden = true;

  const maps = async (given) => {
    const sheet = await opened(given.images), count = given.index.length;
    const methods = given.methods.map((method) => {
      const [left, right, low, high] = method.frame, flat = latentLab.floats(method.points);
      // places in the unit square, from its upper left corner; what lies outside of the frame stands on its edge
      const inside = (share) => Math.min(0.995, Math.max(0.005, share));
      const unit = Float32Array.from(flat, (value, k) => inside(k % 2 ? (high - value) / (high - low) : (value - left) / (right - left)));
      return { ...method, flat, unit, place: ([x, y]) => [left + x * (right - left), high - y * (high - low)] };
    });
    const state = { method: 0, shown: methods[0].unit.slice(), hidden: new Set(), at: [0.5, 0.5], chosen: 0, start: null, end: null };
    const counted = { shown: count.toLocaleString(data.language), all: given.of.toLocaleString(data.language) };
    $("count").textContent = say(words.count, counted);
    const visible = (k) => !state.hidden.has(given.labels[k]);
    const nearest = (distance, number, except = -1) => Array.from({ length: count }, (_, k) => k)
      .filter((k) => k !== except && visible(k)).map((k) => [distance(k), k]).sort((a, b) => a[0] - b[0]).slice(0, number).map(([, k]) => k);
    const onMap = (unit, x, y) => (k) => (unit[2 * k] - x) ** 2 + (unit[2 * k + 1] - y) ** 2;
    const inMap = (flat, one) => (k) => (flat[2 * k] - flat[2 * one]) ** 2 + (flat[2 * k + 1] - flat[2 * one + 1]) ** 2;
    const nameOf = (k) => say(words.image, { index: given.index[k].toLocaleString(data.language), class: given.classes[given.labels[k]] });

    const draw = (canvas, unit, large) => {
      const { context, wide, high } = sized(canvas), radius = large ? 3.4 : 1.4;
      for (let k = 0; k < count; k++) {
        context.globalAlpha = visible(k) ? 0.75 : 0.12;
        context.fillStyle = visible(k) ? given.colours[given.labels[k]] : "#777777";
        context.beginPath();
        context.arc(unit[2 * k] * wide, unit[2 * k + 1] * high, visible(k) ? radius : 1, 0, 7);
        context.fill();
      }
      context.globalAlpha = 1;
      const ring = (k, size, width, colour) => {
        context.lineWidth = width;
        context.strokeStyle = colour;
        context.beginPath();
        context.arc(unit[2 * k] * wide, unit[2 * k + 1] * high, size, 0, 7);
        context.stroke();
      };
      for (const k of large ? state.near || [] : []) ring(k, 5.5, 1, "#1a1a1a");
      for (const k of [state.start, state.end]) if (k !== null) ring(k, large ? 8 : 4, 2, "#0b4f7a");
      if (visible(state.chosen)) {
        ring(state.chosen, large ? 8 : 5, 4, "#ffffff");
        ring(state.chosen, large ? 8 : 5, 2, "#1a1a1a");
      }
      if (!large) return;
      const x = state.at[0] * wide, y = state.at[1] * high;
      context.lineWidth = 1;
      context.strokeStyle = "#1a1a1a";
      context.beginPath();
      context.moveTo(x - 7, y);
      context.lineTo(x + 7, y);
      context.moveTo(x, y - 7);
      context.lineTo(x, y + 7);
      context.stroke();
    };

    // Each decoder is unpacked when it is first asked for.
    const decoders = new Map();
    const decoderOf = (k) => {
      if (!decoders.has(k)) {
        const { decoder, grid } = methods[k];
        decoders.set(k, Promise.resolve(decoder ? latentLab.decoder(decoder) : grid ? blended(grid) : null));
      }
      return decoders.get(k);
    };
    const blended = async (grid) => {
      const images = (await opened(grid.images)).pixels(), [left, right, low, high] = grid.extent;
      const steps = (share, cells) => {
        const at = Math.min(1, Math.max(0, share)) * (cells - 1), first = Math.min(cells - 2, Math.floor(at));
        return [first, at - first];
      };
      return ([x, y]) => {
        const [i, a] = steps((x - left) / (right - left), grid.columns), [j, b] = steps((y - low) / (high - low), grid.rows);
        const corner = (down, across) => images[(j + down) * grid.columns + i + across];
        return images[0].map((_, k) => (1 - b) * ((1 - a) * corner(0, 0)[k] + a * corner(0, 1)[k]) + b * ((1 - a) * corner(1, 0)[k] + a * corner(1, 1)[k]));
      };
    };
    const size = given.images.side;
    const decode = async () => {
      const method = methods[state.method], own = state.method, decoder = await decoderOf(own);
      if (own !== state.method) return;
      $("decoder").hidden = !decoder;
      $("between").hidden = !decoder;
      const place = method.place(state.at), [x, y] = place.map(coordinate);
      $("decoder-said").textContent = !decoder ? words.none : method.decoder ? say(words.exact, { x, y })
        : say(words.blended, { count: method.grid.images.count });
      if (!decoder) return;
      ink($("decoded"), decoder(place), size);
      line(decoder, method);
    };
    const line = (decoder, method) => {
      const both = state.start !== null && state.end !== null, share = $("share").valueAsNumber / 100;
      $("share").disabled = !both;
      $("line-said").textContent = both ? say(words.line, { share: percent(share) }) : "";
      if (state.start !== null) sheet.show($("start-image"), state.start);
      if (state.end !== null) sheet.show($("end-image"), state.end);
      if (!both) return;
      const [from, to] = [state.start, state.end].map((k) => [method.flat[2 * k], method.flat[2 * k + 1]]);
      ink($("line-image"), decoder(from.map((value, axis) => value + share * (to[axis] - value))), size);
    };

    let pixels = null;
    const tell = () => {
      const k = state.chosen, predicted = given.predicted, method = methods[state.method];
      sheet.show($("image"), k);
      $("said").textContent = `${nameOf(k)} ${predicted
        ? say(words.predicted, { class: given.classes[predicted.classes[k]], share: percent(predicted.shares[k]), system: predicted.label })
        : words.unpredicted}`;
      state.near = nearest(inMap(method.flat, k), 6, k);
      pixels ??= sheet.pixels();
      const difference = (other) => pixels[k].reduce((sum, value, i) => sum + (value - pixels[other][i]) ** 2, 0);
      $("near-map").replaceChildren(...state.near.map((other) => sheet.thumb(other, nameOf(other))));
      $("near-pixels").replaceChildren(...nearest(difference, 6, k).map((other) => sheet.thumb(other, nameOf(other))));
    };
    const small = methods.map((method, k) => {
      const canvas = make("canvas", { className: "x-paper" });
      const button = make("button", { type: "button" }, canvas, method.label);
      button.addEventListener("click", () => choose(k));
      $("small").append(button);
      return { canvas, button };
    });
    const drawAll = () => {
      draw($("map"), state.shown, true);
      small.forEach(({ canvas }, k) => draw(canvas, methods[k].unit, false));
    };
    let waiting = false;
    const update = () => {
      if (waiting) return;
      waiting = true;
      requestAnimationFrame(() => {
        waiting = false;
        const found = nearest(onMap(methods[state.method].unit, ...state.at), 1);
        if (found.length) [state.chosen] = found;
        tell();
        drawAll();
        decode();
      });
    };
    const choose = (k) => {
      const from = state.shown.slice(), to = methods[k].unit, began = performance.now(), lasts = still.matches ? 0 : 700;
      state.method = k;
      state.at = [to[2 * state.chosen], to[2 * state.chosen + 1]];
      $("method").value = k;
      small.forEach(({ button }, j) => button.setAttribute("aria-pressed", String(j === k)));
      const step = (now) => {
        if (state.method !== k) return;
        const share = lasts ? Math.min(1, Math.max(0, now - began) / lasts) : 1, eased = share * share * (3 - 2 * share);
        state.shown = from.map((value, i) => value + eased * (to[i] - value));
        if (share === 1) return update();
        draw($("map"), state.shown, true);
        requestAnimationFrame(step);
      };
      requestAnimationFrame(step);
    };

    options($("method"), methods.map((method) => method.label));
    $("method").addEventListener("change", (event) => choose(Number(event.target.value)));
    const chips = given.classes.map((name, label) => {
      const dot = make("i");
      dot.style.background = given.colours[label];
      const chip = make("button", { type: "button" }, dot, name);
      chip.setAttribute("aria-pressed", "true");
      chip.addEventListener("click", () => {
        if (!state.hidden.delete(label)) state.hidden.add(label);
        shownClasses();
      });
      return chip;
    });
    const all = make("button", { type: "button", textContent: words.all });
    all.addEventListener("click", () => {
      state.hidden = state.hidden.size ? new Set() : new Set(given.classes.keys());
      shownClasses();
    });
    const shownClasses = () => {
      chips.forEach((chip, label) => chip.setAttribute("aria-pressed", String(!state.hidden.has(label))));
      all.setAttribute("aria-pressed", String(!state.hidden.size));
      update();
    };
    all.setAttribute("aria-pressed", "true");
    $("classes").replaceChildren(all, ...chips);

    const point = (event) => {
      const box = $("map").getBoundingClientRect();
      const share = (value) => Math.min(1, Math.max(0, value));
      state.at = [share((event.clientX - box.left) / box.width), share((event.clientY - box.top) / box.height)];
      update();
    };
    $("map").addEventListener("pointermove", point);
    $("map").addEventListener("pointerdown", point);
    $("map").addEventListener("keydown", (event) => {
      const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      if (!way) return;
      event.preventDefault();
      const step = event.shiftKey ? 0.1 : 0.02;
      state.at = state.at.map((value, axis) => Math.min(1, Math.max(0, value + step * way[axis])));
      update();
    });
    for (const end of ["start", "end"]) $(end).addEventListener("click", () => {
      state[end] = state.chosen;
      update();
    });
    $("share").addEventListener("input", update);
    redrawn.push(drawAll);
    const first = Math.max(0, methods.findIndex((method) => method.decoder && !method.baseline));
    state.start = 0;
    state.end = Math.max(0, given.labels.findIndex((label) => label !== given.labels[0]));
    state.shown = methods[first].unit.slice();
    choose(first);
    Object.assign(latentLab, { state, methods, decoderOf });
  };

  const walks = async (given) => {
    const sheets = new Map();
    const show = async () => {
      const walk = given[Number($("generator").value)];
      if (!sheets.has(walk)) sheets.set(walk, opened(walk.images));
      const sheet = await sheets.get(walk);
      const row = Math.min(walk.walks, Number($("walk").value || 0) + 1) - 1, step = Math.min(walk.steps, $("step").valueAsNumber);
      if ($("walk").options.length !== walk.walks) options($("walk"), Array.from({ length: walk.walks }, (_, k) => String(k + 1)));
      $("walk").value = row;
      $("step").max = walk.steps;
      sheet.show($("walk-image"), row * walk.steps + step - 1);
      $("walk-strip").replaceChildren(...Array.from({ length: walk.steps }, (_, k) => {
        const thumb = sheet.thumb(row * walk.steps + k, say(words.walk, { step: k + 1, steps: walk.steps }));
        thumb.classList.toggle("x-current", k + 1 === step);
        thumb.addEventListener("click", () => {
          $("step").value = k + 1;
          show();
        });
        return thumb;
      }));
      $("walk-said").textContent = say(words.walk, { step, steps: walk.steps });
    };
    options($("generator"), given.map((walk) => walk.label));
    $("step").max = given[0].steps;
    for (const name of ["generator", "walk", "step"]) $(name).addEventListener("input", show);
    await show();
  };

  const confusions = async (given, shared) => {
    const show = async (which) => {
      const matrix = given[which], sheet = await opened(matrix.images);
      // pictures of the maps' images too, where this classifier's predictions of them are known
      const more = shared && shared.predicted && shared.predicted.cell === matrix.cell ? await opened(shared.images) : null;
      const pictures = (row, column) => {
        const own = matrix.true.flatMap((label, k) => (label === row && matrix.predicted[k] === column ? [[sheet, k, matrix.shares[k]]] : []));
        const others = more ? shared.labels.flatMap((label, k) =>
          (label === row && shared.predicted.classes[k] === column ? [[more, k, shared.predicted.shares[k]]] : [])) : [];
        const seen = new Set();
        return [...own, ...others].map(([from, k, share]) => ({ canvas: from.thumb(k, matrix.classes[row]), share })).filter(({ canvas }) => {
          const key = canvas.toDataURL();
          return !seen.has(key) && seen.add(key);
        });
      };
      const most = Math.max(...matrix.counts.flatMap((counts, row) => counts.filter((_, column) => row !== column)), 1);
      const head = make("tr", {}, make("td"), ...matrix.classes.map((name) => make("th", { scope: "col", textContent: name })));
      const rows = matrix.counts.map((counts, row) => make("tr", {}, make("th", { scope: "row", textContent: matrix.classes[row] }),
        ...counts.map((count, column) => {
          if (!count) return make("td");
          const shade = Math.round(45 * Math.min(1, count / most));
          const button = make("button", { type: "button", textContent: count.toLocaleString(data.language) });
          if (row !== column) button.style.setProperty("--shade", `color-mix(in srgb, #d98b4a ${shade}%, transparent)`);
          const named = { true: matrix.classes[row], predicted: matrix.classes[column], count: count.toLocaleString(data.language) };
          button.setAttribute("aria-label", say(words.cell, named));
          button.setAttribute("aria-expanded", "false");
          button.setAttribute("aria-controls", "x-opened");
          button.addEventListener("click", () => {
            for (const other of $("matrix").querySelectorAll("[aria-expanded=true]")) other.setAttribute("aria-expanded", "false");
            button.setAttribute("aria-expanded", "true");
            const found = pictures(row, column);
            $("opened-said").textContent = say(row === column ? words.right : words.opened, { ...named, shown: found.length });
            $("opened").replaceChildren(...found.map(({ canvas, share }) => make("figure", {}, canvas, percent(share))));
          });
          return make("td", {}, button);
        })));
      $("matrix").replaceChildren(make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows)));
      $("opened").replaceChildren();
      $("opened-said").textContent = "";
      window.dispatchEvent(new Event("resize")); // wide tables say that they scroll
    };
    options($("classifier"), given.map((matrix) => `${matrix.label}: ${matrix.system}`));
    $("classifier").addEventListener("change", (event) => show(Number(event.target.value)));
    await show(0);
  };

  const curves = (given) => {
    const parts = (series) => {
      const names = series.parts ? [...new Set(series.parts)] : [null];
      return names.map((part, order) => ({
        ...series,
        order,
        label: names.length > 1 ? say(words.part, { system: series.label, part }) : series.label,
        rows: series.epochs.flatMap((_, k) => (part === null || series.parts[k] === part ? [k] : [])),
      }));
    };
    let lines = [];
    const columnsOf = (which) => [...new Set(given[which].series.flatMap((series) => Object.keys(series.columns)))].filter((name) => words.columns[name]);
    const draw = () => {
      const column = $("column").value, { context, wide, high } = sized($("chart"));
      lines = given[Number($("experiment").value)].series.filter((series) => series.columns[column]).flatMap(parts)
        .map((line) => ({ ...line, points: line.rows.map((k) => [line.epochs[k], line.columns[column][k]]) }));
      const epochs = lines.flatMap((line) => line.points.map(([epoch]) => epoch)), values = lines.flatMap((line) => line.points.map(([, value]) => value));
      const last = Math.max(...epochs), first = Math.min(...epochs);
      let [low, top] = [Math.min(...values), Math.max(...values)];
      if (low === top) [low, top] = [low - 1, top + 1];
      $("epoch").min = first;
      $("epoch").max = last;
      const epoch = $("epoch").valueAsNumber;
      const edge = { left: 58, right: 14, top: 12, bottom: 30 };
      const x = (value) => edge.left + (last === first ? 0.5 : (value - first) / (last - first)) * (wide - edge.left - edge.right);
      const y = (value) => high - edge.bottom - ((value - low) / (top - low)) * (high - edge.top - edge.bottom);
      context.font = '12px "Source Sans 3", sans-serif';
      context.fillStyle = context.strokeStyle = "#6b6b6b";
      context.lineWidth = 0.5;
      context.textAlign = "right";
      for (let k = 0; k <= 4; k++) {
        const value = low + (k / 4) * (top - low);
        context.beginPath();
        context.moveTo(edge.left, y(value));
        context.lineTo(wide - edge.right, y(value));
        context.stroke();
        context.fillText(number(value, 3), edge.left - 6, y(value) + 4);
      }
      context.textAlign = "center";
      for (const value of new Set([first, Math.round((first + last) / 2), last])) context.fillText(value, x(value), high - 10);
      context.strokeStyle = "#1a1a1a";
      context.beginPath();
      context.moveTo(x(epoch), edge.top);
      context.lineTo(x(epoch), high - edge.bottom);
      context.stroke();
      for (const { points, colour, order } of lines) {
        context.strokeStyle = context.fillStyle = colour;
        context.lineWidth = 1.8;
        context.setLineDash([[], [5, 3], [1.5, 3]][order % 3]);
        context.beginPath();
        points.forEach((point, k) => context[k ? "lineTo" : "moveTo"](x(point[0]), y(point[1])));
        context.stroke();
        context.setLineDash([]);
        for (const point of points.length > 20 ? [] : points) {
          context.beginPath();
          context.arc(x(point[0]), y(point[1]), 2.5, 0, 7);
          context.fill();
        }
      }
      latentLab.chart = { epochAt: (left) => Math.round(first + ((left - edge.left) / (wide - edge.left - edge.right)) * (last - first)) };
      $("values-epoch").textContent = say(words.epoch, { epoch });
      $("values").replaceChildren(...lines.map(({ label, colour, points }) => {
        const own = points.find(([at]) => at === epoch), dash = make("i");
        dash.style.background = colour;
        return make("tr", {}, make("th", { scope: "row" }, dash, label), make("td", { className: "figure", textContent: own ? number(own[1]) : "—" }));
      }));
    };
    const begin = () => {
      const before = $("column").value, names = columnsOf(Number($("experiment").value));
      $("column").replaceChildren(...names.map((name) => make("option", { value: name, textContent: words.columns[name] })));
      if (names.includes(before)) $("column").value = before;
      ends();
    };
    const ends = () => {
      draw();
      $("epoch").value = $("epoch").max;
      draw();
    };
    options($("experiment"), given.map((group) => group.label));
    $("experiment").addEventListener("change", begin);
    $("column").addEventListener("change", ends);
    $("epoch").addEventListener("input", draw);
    for (const kind of ["pointermove", "pointerdown"]) $("chart").addEventListener(kind, (event) => {
      $("epoch").value = latentLab.chart.epochAt(event.offsetX);
      draw();
    });
    redrawn.push(draw);
    begin();
  };

  const part = async (name, given, start) => {
    const there = Array.isArray(given) ? given.length > 0 : Boolean(given);
    $(name).hidden = !there;
    if (there) await start(given);
  };
  await document.fonts.ready;
  await part("maps", data.maps, maps);
  await part("walks", data.walks, walks);
  await part("confusions", data.confusions, (given) => confusions(given, data.maps));
  await part("curves", data.curves, curves);
  // canvases have no width while they are not shown, and another after the window has changed
  new ResizeObserver(() => redrawn.forEach((draw) => draw())).observe($("parts"));
  block.dataset.ready = "yes";
})();
