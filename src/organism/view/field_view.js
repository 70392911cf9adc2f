// Draws what organism.view sends: scenes (where sites are), frames (one byte a site beside a palette), and what
// was asked about a member. Tells a few times a second which frame it has drawn, so that no more are sent than can be
// drawn. (Not at each: a notebook draws its bars anew whenever its kernel hears something.)

const SIDE = 840;                              // pixels of a drawing that is not of cells
const HUES = ["#0072B2", "#D55E00"];           // of the left and the right world; the right one is dashed too
const TELL = 200;                              // milliseconds
const SUPPLIER = "#0072B2", CLIENT = "#D55E00";

const put = (parent, tag, props = {}, attributes = {}) => {
  const node = Object.assign(document.createElement(tag), props);
  for (const key in attributes) node.setAttribute(key, attributes[key]);
  return parent.appendChild(node);
};
const copy = (view) => view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength);
const short = (number) => `${+number.toPrecision(3)}`;
const say = (name) => name.replaceAll("_", " ");

// -- one world ------------------------------------------------------------------------------------

function makePanel(parent, index, send) {
  const box = put(parent, "figure", { className: "panel" });
  const name = put(box, "figcaption", { className: "name" });
  const stage = put(box, "div", { className: "stage" });
  const base = put(stage, "canvas", {}, { role: "img", tabindex: "0" });
  const over = put(stage, "canvas", { className: "over" }, { "aria-hidden": "true" });
  const text = put(box, "output"), ties = put(box, "small");
  const ink = base.getContext("2d", { willReadFrequently: true }), lines = over.getContext("2d");
  let places, links, image, pixels, below, disc, radius, n = 0, spoken = 0;
  const MANY = 300;                            // dots from which on they are put in as pixels, without outlines

  base.onclick = (event) => {
    const { left, top, width, height } = base.getBoundingClientRect();
    const x = (event.clientX - left) / width, y = (event.clientY - top) / height;
    send({ say: "click", panel: index, x: Math.min(Math.max(x, 0), 0.999999), y: Math.min(Math.max(y, 0), 0.999999) });
  };
  const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  base.onkeydown = (event) => {
    if (event.key in steps) send({ say: "move", x: steps[event.key][0], y: steps[event.key][1] });
    else if (event.key === "Escape") send({ say: "leave" });
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  const build = (scene, buffers) => {          // what stays the same from frame to frame
    const cells = "rows" in scene;
    const aspect = scene.aspect;
    over.width = Math.round(SIDE / Math.max(1, aspect));
    over.height = Math.round(over.width * aspect);
    [base.width, base.height] = cells ? [scene.columns, scene.rows] : [over.width, over.height];
    stage.style.aspectRatio = `${over.width} / ${over.height}`;
    stage.style.maxWidth = `${Math.round(520 / aspect)}px`;       // what is tall must fit on the page
    base.className = cells ? "cells" : "dots";
    n = cells ? scene.rows * scene.columns : scene.sites;
    places = links = image = below = null;
    ties.textContent = scene.ties || "";
    ties.hidden = !scene.ties;
    if (cells) {
      image = ink.createImageData(base.width, base.height);
      pixels = new Uint32Array(image.data.buffer);
      return;
    }
    places = new Float32Array(copy(buffers[scene.buffer]))
      .map((at, i) => at * (i % 2 ? base.height : base.width));
    const ends = new Uint32Array(copy(buffers[scene.buffer + 1]));
    links = new Path2D();
    for (let i = 0; i < ends.length; i += 2) {
      links.moveTo(places[2 * ends[i]], places[2 * ends[i] + 1]);
      links.lineTo(places[2 * ends[i + 1]], places[2 * ends[i + 1] + 1]);
    }
    radius = Math.max(1.5, Math.min(16, 0.2 * SIDE / Math.sqrt(n)));
    ink.fillStyle = "white";
    ink.fillRect(0, 0, base.width, base.height);
    ink.strokeStyle = "#8886";
    ink.stroke(links);
    image = ink.getImageData(0, 0, base.width, base.height);      // drawn once: ties stay where they are
    pixels = new Uint32Array(image.data.buffer);
    below = pixels.slice();
    disc = [];
    for (let y = -Math.ceil(radius); y <= radius; y++)
      for (let x = -Math.ceil(radius); x <= radius; x++)
        if (x * x + y * y <= radius * radius) disc.push(y * base.width + x);
  };

  const drawDots = (codes, palette) => {
    if (n > MANY) {
      const colour = new Uint32Array(palette.buffer);
      pixels.set(below);
      for (let i = 0; i < n; i++) {
        const at = Math.round(places[2 * i + 1]) * base.width + Math.round(places[2 * i]);
        for (const step of disc) pixels[at + step] = colour[codes[i]];
      }
      ink.putImageData(image, 0, 0);
      return;
    }
    ink.putImageData(image, 0, 0);
    const groups = new Map();                  // one colour after the other: canvases are slow to change it
    for (let i = 0; i < n; i++) {
      if (!groups.has(codes[i])) groups.set(codes[i], []);
      groups.get(codes[i]).push(i);
    }
    ink.strokeStyle = "#333";
    for (const [code, sites] of groups) {
      ink.fillStyle = `rgb(${palette.slice(4 * code, 4 * code + 3)})`;
      const dots = new Path2D();
      for (const i of sites) {
        dots.moveTo(places[2 * i] + radius, places[2 * i + 1]);
        dots.arc(places[2 * i], places[2 * i + 1], radius, 0, 7);
      }
      ink.fill(dots);
      if (radius > 5) ink.stroke(dots);
    }
  };

  const ring = (x, y, radius, colour) => {
    for (const [style, width] of [["white", 5], [colour, 2.5]]) {
      lines.strokeStyle = style;
      lines.lineWidth = width;
      lines.beginPath();
      lines.arc(x, y, radius, 0, 7);
      lines.stroke();
    }
  };
  const dot = (x, y, radius) => {
    lines.fillStyle = CLIENT;
    lines.strokeStyle = "white";
    lines.lineWidth = 1.5;
    lines.beginPath();
    lines.arc(x, y, radius, 0, 7);
    lines.fill();
    lines.stroke();
  };
  const strokes = (ends, width, style) => {
    lines.strokeStyle = style;
    lines.lineWidth = width;
    lines.beginPath();
    for (let i = 0; i < ends.length; i += 4) {
      lines.moveTo(ends[i] * over.width, ends[i + 1] * over.height);
      lines.lineTo(ends[i + 2] * over.width, ends[i + 3] * over.height);
    }
    lines.stroke();
  };
  const arrow = (x, y, u, v, width, style) => {  // tapers towards the receiver
    const a = Math.atan2(v - y, u - x), dx = Math.sin(a) * width, dy = Math.cos(a) * width;
    lines.fillStyle = style;
    lines.beginPath();
    lines.moveTo(x + dx, y - dy);
    lines.lineTo(u, v);
    lines.lineTo(x - dx, y + dy);
    lines.closePath();
    lines.strokeStyle = "#fffb";               // a pale rim keeps it apart from dark land
    lines.lineWidth = 1;
    lines.stroke();
    lines.fill();
  };

  const joined = (ends, style) =>
    arrow(ends[0] * over.width, ends[1] * over.height, ends[2] * over.width, ends[3] * over.height, 4, style);
  const frameCell = (x, y, w, h, thick, colour) => {
    for (const [style, width] of [["white", thick + 2], [colour, thick]]) {
      lines.strokeStyle = style;
      lines.lineWidth = width;
      lines.strokeRect(x * over.width - (w - thick) / 2, y * over.height - (h - thick) / 2, w - thick, h - thick);
    }
  };

  const overlay = (panel, detail, buffers) => {
    const [wide, high] = [over.width, over.height];
    const wanted = "borders" in panel || "flows" in panel || !!detail;
    over.hidden = !wanted;                     // a canvas that is there costs time, drawn upon or not
    if (!wanted) return;
    lines.clearRect(0, 0, wide, high);
    if ("borders" in panel) {
      const ends = new Float32Array(copy(buffers[panel.borders]));
      strokes(ends, 6, "#fff");
      strokes(ends, 3, "#000");
    }
    if ("flows" in panel) {
      const ends = new Float32Array(copy(buffers[panel.flows])), widths = new Float32Array(copy(buffers[panel.widths]));
      const room = places ? SIDE / Math.sqrt(n) : Math.min(wide / base.width, high / base.height);
      const unit = Math.max(0.8, Math.min(6, 0.13 * room));
      for (let i = 0; i < widths.length; i++)
        arrow(ends[4 * i] * wide, ends[4 * i + 1] * high, ends[4 * i + 2] * wide, ends[4 * i + 3] * high,
          unit * Math.sqrt(widths[i]), "#000c");
    }
    if (!detail) return;
    const wrap = (at) => at - Math.floor(at), [x, y] = detail.at;
    if (!places) {                             // suppliers are framed, clients have a dot in their middle
      const w = wide / base.width, h = high / base.height, thick = Math.max(2, Math.min(6, 0.16 * w));
      for (const [u, v] of detail.suppliers) frameCell(u, v, w, h, thick, SUPPLIER);
      for (const [, , u, v] of detail.clients) dot(wrap(u) * wide, wrap(v) * high, Math.max(2, 0.2 * Math.min(w, h)));
      frameCell(x, y, w, h, thick, "#000");
      if (w < 60) ring(x * wide, y * high, base.height > 1 ? Math.max(30, 2.6 * w) : Math.max(14, 2 * w), "#000");
      return;
    }
    const radius = Math.max(7, Math.min(18, 0.45 * SIDE / Math.sqrt(n)));
    for (const ends of detail.suppliers) joined(ends, SUPPLIER);
    for (const ends of detail.clients) joined(ends, CLIENT);
    for (const [u, v] of detail.suppliers) ring(u * wide, v * high, radius, SUPPLIER);
    for (const [, , u, v] of detail.clients) dot(wrap(u) * wide, wrap(v) * high, 0.35 * radius);
    ring(x * wide, y * high, radius + 6, "#000");
  };

  const draw = (panel, detail, label, buffers, playing) => {
    const codes = new Uint8Array(copy(buffers[panel.codes])), palette = new Uint8Array(copy(buffers[panel.palette]));
    if (codes.length !== n) return;            // of another scene, which is on its way
    if (places) drawDots(codes, palette);
    else {
      const colour = new Uint32Array(palette.buffer);
      for (let i = 0; i < n; i++) pixels[i] = colour[codes[i]];
      ink.putImageData(image, 0, 0);
    }
    overlay(panel, detail, buffers);
    text.textContent = panel.text;
    const now = performance.now();
    if (now - spoken < 1000 && playing) return;
    spoken = now;
    base.setAttribute("aria-label", `${name.textContent} ${label}; ${panel.text}`.trim());
  };
  return { build, draw, name };
}

// -- measures over time -----------------------------------------------------------------------------

function makeSeries(parent) {
  const rows = new Map();                      // of each measure: its points and what draws them
  const axis = put(parent, "div", { className: "axis" });
  const row = (name) => {
    if (!rows.has(name)) {
      const box = document.createElement("div");
      box.className = "course";
      axis.before(box);
      const canvas = document.createElement("canvas");
      const label = put(box, "span", { textContent: say(name) });
      box.appendChild(canvas).setAttribute("role", "img");
      canvas.height = 2 * 40;
      rows.set(name, { canvas, out: put(box, "output"), points: [], box, label });
    }
    return rows.get(name);
  };
  let stale = true, drawnAt = 0;
  const take = (series) => {
    stale = stale || series.whole || Object.keys(series.points).length > 0;
    if (series.whole) {
      for (const [name, one] of rows) if (!(name in series.points)) { one.box.remove(); rows.delete(name); }
    }
    for (const name in series.points) {
      const one = row(name);
      one.points = series.whole ? series.points[name].slice() : one.points.concat(series.points[name]);
      if (one.points.length > 2400) one.points = one.points.filter((_, i) => i % 2 === 0);
    }
  };
  const draw = (tick, playing) => {            // a few times a second will do
    const now = performance.now();
    if (playing && (!stale || now - drawnAt < 200)) return;
    [stale, drawnAt] = [false, now];
    let first = Infinity, last = tick;
    for (const { points } of rows.values()) if (points.length) first = Math.min(first, points[0][0]);
    axis.textContent = rows.size && first <= last ? `ticks ${first.toLocaleString("en")} to ${last.toLocaleString("en")}` : "";
    for (const [name, { canvas, out, points }] of rows) {
      const wide = 2 * canvas.clientWidth || 720;
      if (canvas.width !== wide) canvas.width = wide;
      const ink = canvas.getContext("2d"), { width, height } = canvas;
      ink.clearRect(0, 0, width, height);
      if (!points.length) continue;
      const worlds = points[0].length - 1;
      let low = Infinity, high = -Infinity;
      for (const point of points) for (let w = 1; w <= worlds; w++) {
        if (point[w] === null) continue;
        low = Math.min(low, point[w]);
        high = Math.max(high, point[w]);
      }
      if (low > high || low >= 0 && high <= 1) [low, high] = [0, 1];
      else if (low === high) [low, high] = [low - 0.5, high + 0.5];
      const x = (at) => 4 + (width - 8) * (at - first) / Math.max(1, last - first);
      const y = (value) => height - 6 - (height - 12) * (value - low) / (high - low);
      ink.strokeStyle = "#8886";
      ink.setLineDash([]);
      ink.lineWidth = 1;
      ink.strokeRect(0.5, 0.5, width - 1, height - 1);
      for (let w = 1; w <= worlds; w++) {
        ink.strokeStyle = HUES[w - 1];
        ink.lineWidth = 3;
        ink.setLineDash(w === 2 ? [10, 6] : []);
        ink.beginPath();
        let gap = true;
        points.forEach((point, i) => {         // what is undefined is a gap, and a single point a dot
          if (point[w] === null) { gap = true; return; }
          if (gap) ink.moveTo(x(point[0]), y(point[w]));
          ink.lineTo(x(point[0]), y(point[w]));
          const alone = gap && (i + 1 === points.length || points[i + 1][w] === null);
          if (alone) ink.rect(x(point[0]) - 1, y(point[w]) - 1, 2, 2);
          gap = false;
        });
        ink.stroke();
      }
      ink.fillStyle = "#777";
      ink.font = "17px sans-serif";
      ink.fillText(short(high), 7, 20);
      ink.fillText(short(low), 7, height - 8);
      const now = points[points.length - 1].slice(1)
        .map((value) => value === null ? "–" : short(value)).join(" | ");
      out.textContent = now;
      canvas.title = `${say(name)}, ticks ${first} to ${last}; scale ${short(low)} to ${short(high)}`;
      canvas.setAttribute("aria-label", `${canvas.title}; now ${now}`);
    }
  };
  return { take, draw };
}

// -- the page ---------------------------------------------------------------------------------------

function render({ model, el }) {
  const page = Math.random().toString(36).slice(2);
  const send = (wish) => model.send({ page, ...wish });
  const set = (name, value) => { model.set(name, value); model.save_changes(); };
  const box = put(el, "div", { className: "organism-view" }, { "data-lm-suppress-shortcuts": "true" });
  const panels = put(box, "div", { className: "panels" });
  const legend = put(box, "div", { className: "legend" });
  const message = put(box, "div", { className: "message" }, { role: "alert" });

  const bar = put(box, "div", { className: "bar" }, { role: "toolbar", "aria-label": "play the world" });
  const button = (parent, textContent, title, onclick) =>
    put(parent, "button", { type: "button", textContent, title, onclick }, { "aria-label": title });
  const play = button(bar, "Play", "play", () => set("playing", !model.get("playing")));
  const step = button(bar, "Step", "step one tick", () => send({ say: "step" }));
  const reset = button(bar, "Reset", "go back to the start", () => send({ say: "reset" }));
  const rate = put(bar, "output", { className: "rate" });

  const controls = put(box, "div", { className: "controls" });
  const row = (parent, name, tag, props) => {
    const label = put(parent, "label");
    return { label, name: put(label, "span", { textContent: name }), input: put(label, tag, props),
             out: put(label, "output") };
  };
  const field = row(controls, "show", "select");
  const borders = row(controls, "boundaries of wholes", "select");
  const speed = row(controls, "speed", "input", { type: "range", min: -1, max: 4, step: 0.05 });
  const actsOn = row(controls, "sliders move", "select");
  for (const value of ["left", "right", "both"]) put(actsOn.input, "option", { value });
  const sliders = put(controls, "div");
  const extras = put(controls, "div", { className: "bar" });
  const flows = put(put(extras, "label", { className: "check" }), "input", { type: "checkbox" });
  flows.parentNode.append("flows of late");
  const roles = button(extras, "Find roles", "find the roles of the members as they are now",
    () => send({ say: "find roles" }));
  const wholes = button(extras, "Find wholes", "find the wholes as they are now, and their boundaries",
    () => send({ say: "find wholes" }));
  const busy = put(extras, "output");
  field.input.onchange = () => set("field", field.input.value);
  borders.input.onchange = () => set("borders", +borders.input.value);
  actsOn.input.onchange = () => set("acts_on", actsOn.input.value);
  flows.onchange = () => set("flows", flows.checked);
  speed.input.oninput = () => set("speed", +(10 ** speed.input.value).toPrecision(2));

  const series = makeSeries(put(box, "div", { className: "courses" }));
  const members = put(box, "div", { className: "members" }, { "aria-live": "polite" });

  // -- frames

  let shown = [], frame = null, buffers = null, asked = 0, closed = false, clock = null;
  let last = 0, told = 0, answering = 0;
  const answer = (now) => {
    clearTimeout(answering);
    [told, answering] = [now, 0];
    if (!closed) send({ say: "drawn", number: last });
  };
  const draw = () => {
    asked = 0;
    if (closed || !frame) return;
    const what = frame.legend.label, playing = model.get("playing");
    frame.panels.forEach((panel, i) => shown[i] && shown[i].draw(panel, (frame.details || [])[i], what, buffers, playing));
    series.draw(frame.tick, playing);
    drawLegend();
    drawMembers();
    tellRate();
    last = frame.number;
    frame = null;
    const now = performance.now();
    if (now - told > TELL) answer(now);
    else if (!answering) answering = setTimeout(() => answer(performance.now()), TELL);
  };
  let legendWas = "";
  const drawLegend = () => {
    const { label, marks, low, high } = frame.legend;
    const is = JSON.stringify(frame.legend);
    if (is === legendWas) return;
    legendWas = is;
    legend.replaceChildren();
    put(legend, "div", { textContent: label });
    const palette = new Uint8Array(copy(buffers[frame.panels[0].palette]));
    const css = (code) => `rgb(${palette.slice(4 * code, 4 * code + 3)})`;
    const ramp = `linear-gradient(to right, ${[2, 65, 128, 192, 255].map(css)})`;
    const scale = low === undefined ? [] : [[high, ramp]];
    for (const [name, colour] of [...scale, ...(marks || [])]) {
      const mark = put(legend, "span", { textContent: colour === ramp ? low + " " : "" });
      put(mark, "i", { className: colour === ramp ? "ramp" : "" }).style.background = colour;
      mark.append(name);
    }
  };
  const drawMembers = () => {
    const details = frame.details || [];
    if (members.dataset.told === JSON.stringify(details)) return;
    members.dataset.told = JSON.stringify(details);
    members.replaceChildren();
    if (!details.length) return;
    for (const detail of details) {
      if (detail === false) continue;          // of an unrelated world
      const table = put(members, "table");
      put(table, "caption", { textContent: detail ? detail.title : "this member does not live here any more" });
      for (const [name, value] of detail ? detail.rows : []) {
        const line = put(table, "tr", { className: name });
        put(line, "th", { textContent: name, scope: "row" });
        put(line, "td", { textContent: value });
      }
    }
  };
  let drawn = 0;
  const tellRate = () => {
    drawn += 1;
    const now = performance.now();
    if (!model.get("playing") || !clock || frame.tick < clock.tick) {
      clock = { now, tick: frame.tick, drawn };
      if (!model.get("playing")) rate.textContent = "";
    } else if (now - clock.now > 1000) {
      const seconds = (now - clock.now) / 1000;
      const differ = frame.differ === undefined ? "" : `; ${(100 * frame.differ).toFixed(1)} % of sites differ`;
      rate.textContent = `${Math.round((frame.tick - clock.tick) / seconds)} ticks/s, `
        + `${Math.round((drawn - clock.drawn) / seconds)} frames/s${differ}`;
      rate.dataset.frames = (drawn - clock.drawn) / seconds;
      clock = { now, tick: frame.tick, drawn };
    }
  };
  const build = (scene, more) => {
    while (shown.length > scene.panels.length) { shown.pop(); panels.lastChild.remove(); }
    while (shown.length < scene.panels.length) shown.push(makePanel(panels, shown.length, send));
    scene.panels.forEach((one, i) => shown[i].build(one, more));
    box.classList.toggle("two", shown.length > 1);
    actsOn.label.hidden = shown.length < 2 || !model.get("sliders").length;
    tell();
  };
  const receive = (content, more) => {
    if (content.kind === "scene") build(content, more);
    else if (content.kind === "frame") {
      series.take(content.series);
      [frame, buffers] = [content, more];
      if (!asked) asked = requestAnimationFrame(draw);
    }
  };

  // -- what the traits say, into the controls

  const moved = new Map();
  const tell = () => {
    const playing = model.get("playing");
    play.textContent = playing ? "Pause" : "Play";
    play.title = play.textContent.toLowerCase();
    play.setAttribute("aria-label", play.title);
    speed.input.value = Math.log10(model.get("speed"));
    speed.out.textContent = model.get("speed") >= 10000 ? "fastest" : `${short(model.get("speed"))} ticks/s`;
    speed.input.setAttribute("aria-valuetext", speed.out.textContent);
    field.input.value = model.get("field");
    borders.input.value = model.get("borders");
    borders.label.hidden = !model.get("levels").length;
    actsOn.input.value = model.get("acts_on");
    flows.checked = model.get("flows");
    busy.textContent = model.get("busy");
    members.setAttribute("aria-live", playing ? "off" : "polite");      // nobody can listen to sixty frames a second
    roles.disabled = wholes.disabled = !!model.get("busy");
    message.textContent = model.get("message");
    message.hidden = !model.get("message");
    for (const node of [play, step, reset, speed.label]) node.hidden = !model.get("controls");
    extras.hidden = !model.get("extras");
    const names = model.get("names");
    [...names, "both"].forEach((name, i) => { actsOn.input.options[names.length < 2 ? 2 : i].textContent = name; });
    const values = model.get("values");
    shown.forEach((one, i) => {
      one.name.textContent = names[i] || "";
      one.name.hidden = !names[i];
      one.name.style.color = shown.length > 1 ? HUES[i] : "";
    });
    for (const [name, one] of moved) {
      one.input.value = values[name];
      one.out.textContent = short(values[name]);
    }
  };
  const list = () => {
    const option = ([name, words]) => new Option(words, name);
    field.input.replaceChildren(...model.get("fields").map((name) => option([name, say(name)])));
    borders.input.replaceChildren(...[[-1, "none"], ...model.get("levels").entries()].map(option));
    sliders.replaceChildren();
    moved.clear();
    for (const { name, low, high, step: by, doc } of model.get("sliders")) {
      const one = row(sliders, name, "input", { type: "range", min: low, max: high, step: by, title: doc });
      one.input.setAttribute("aria-label", `${name}: ${doc}`);
      one.input.oninput = () => { one.out.textContent = short(+one.input.value); };
      one.input.onchange = () => set("values", { ...model.get("values"), [name]: +one.input.value });
      moved.set(name, one);
    }
    tell();
  };
  const traits = "change:playing change:speed change:field change:values change:acts_on change:flows change:borders "
    + "change:busy change:message change:names change:controls change:extras";
  const listed = "change:fields change:sliders change:levels";
  for (const name of traits.split(" ")) model.on(name, tell);
  for (const name of listed.split(" ")) model.on(name, list);
  model.on("msg:custom", receive);
  list();
  send({ say: "ready" });

  const here = () => { if (!document.hidden) send({ say: "here" }); };   // in a hidden tab nobody looks
  const alive = setInterval(here, 3000);
  document.addEventListener("visibilitychange", here);
  const leave = () => {
    if (closed) return;
    closed = true;
    clearInterval(alive);
    send({ say: "gone" });
  };
  window.addEventListener("pagehide", leave);
  return () => {
    window.removeEventListener("pagehide", leave);
    document.removeEventListener("visibilitychange", here);
    for (const name of traits.split(" ")) model.off(name, tell);
    for (const name of listed.split(" ")) model.off(name, list);
    model.off("msg:custom", receive);
    leave();
  };
}
export default { render };
