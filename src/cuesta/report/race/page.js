"use strict";

/* The page's script, in the order of the page. `race` is what the numbers are; `state` is what the
   reader has chosen; everything that is drawn follows from the two. */

const race = unpacked(JSON.parse(byId("data").textContent));
const shown = allSteps(race.optimizers);
const state = { at: shown.length - 1, chosen: 0, playing: false, relief: false, theme: null };
const still = matchMedia("(prefers-reduced-motion: reduce)");
const night = matchMedia("(prefers-color-scheme: dark)");

/* ---- the numbers ---- */

/* Columns of numbers come as texts, "1.5 -2e-9 …", which take half the room of lists. */
function unpacked(data) {
  for (const one of data.optimizers) unpackPath(one.path);
  if (data.surface) {
    const { x, y, above } = data.surface;
    data.surface = { x: list(x), y: list(y), above: above.map(list) };
  }
  return data;
}

function unpackPath(path) {
  for (const name of ["w", "gradient", "clipped", "v", "f", "delta"]) {
    if (path[name]) path[name] = byStep(path[name].map(list));
  }
  for (const name of ["alpha", "actual", "first", "second", "length", "curvature"]) {
    path[name] = list(path[name]);
  }
  for (const drawn of [path, path.ghost].filter(Boolean)) {
    drawn.above = list(drawn.above);
    drawn.drawn = drawn.drawn?.map(list);
  }
}

/* An empty place is a number that was not finite. */
function list(text) {
  return text.split(" ").map((part) => (part === "" ? null : Number(part)));
}

/* From a list for each coordinate to a vector for each step. */
function byStep(coordinates) {
  return coordinates[0].map((value, i) => coordinates.map((values) => values[i]));
}

/* ---- small helpers ---- */

function byId(id) {
  return document.getElementById(id);
}

function write(id, text) {
  byId(id).textContent = text;
}

/* A cell with text; text never becomes markup. */
function cell(tag, text) {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}

/* Plotly reads tags in names. */
function plain(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}

function number(value, digits = 4) {
  if (value === null || value === undefined) return "–";
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return grouped(value);
  const small = value !== 0 && Math.abs(value) < 1e-3;
  const short = Number(value.toPrecision(digits));
  if (Number.isInteger(short) && Math.abs(short) < 1e6) return grouped(short);
  return signed((small ? short.toExponential() : String(short)).replace("e+", "e"));
}

function grouped(value) {
  return signed(value.toLocaleString("en-US"));
}

function signed(text) {
  return text.replaceAll("-", "−");
}

function point(values) {
  return `(${values.map((value) => number(value)).join(", ")})`;
}

/* J itself, from its height above the base of the scale. */
function objective(above) {
  return above === null ? null : race.scale.base + above;
}

function height(above) {
  return above === null ? null : Math.log10(Math.max(above, 0) + race.scale.small);
}

/* A colour of the style sheet as plotly can read it: light-dark() is resolved by an element only. */
function colour(name) {
  if (!tints.has(name)) tints.set(name, resolved(name));
  return tints.get(name);
}

const tints = new Map(); /* until the look changes: asking costs a layout */

function resolved(name) {
  const probe = document.createElement("i");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

function isDark() {
  return state.theme ? state.theme === "dark" : night.matches;
}

function own(k) {
  const look = race.optimizers[k].look;
  return isDark() ? look.dark : look.light;
}

function dash(k) {
  return race.optimizers[k].look.dash.map((length) => `${length}px`).join(",") || "solid";
}

/* ---- steps ---- */

function allSteps(optimizers) {
  const all = new Set(optimizers.flatMap((one) => one.path.step));
  return [...all].sort((a, b) => a - b);
}

/* For each shown step, the last place of a path that it has come to. */
function places(steps) {
  let k = 0;
  return shown.map((step) => {
    while (k + 1 < steps.length && steps[k + 1] <= step) k += 1;
    return k;
  });
}

for (const one of race.optimizers) one.places = places(one.path.step);

function place(k) {
  return race.optimizers[k].places[state.at];
}

/* A path up to the present step; only at the start is it a single point. */
function upTo(values, k) {
  return values.slice(0, place(k) + 1);
}

function isGone(path, i) {
  return path.w[i].some((value) => value === null) || path.above[i] === null;
}

/* ---- what all pictures share ---- */

const SETUP = {
  responsive: true,
  /* Its buttons would lie on the pictures; dragging and double clicks do the same. */
  displayModeBar: false,
};

function axis(title, more) {
  return {
    title: { text: title, standoff: 8 },
    color: colour("--quiet"),
    gridcolor: colour("--rule"),
    linecolor: colour("--strong"),
    zeroline: false,
    automargin: true,
    ...more,
  };
}

function layout(more) {
  return {
    autosize: true,
    margin: { l: 8, r: 12, t: 6, b: 8 },
    paper_bgcolor: colour("--paper"),
    plot_bgcolor: colour("--paper"),
    font: { family: getComputedStyle(document.body).fontFamily, size: 13, color: colour("--ink") },
    hoverlabel: {
      bgcolor: colour("--raised"),
      bordercolor: colour("--strong"),
      font: { color: colour("--ink") },
    },
    showlegend: false,
    /* A finger that scrolls the page must not be caught by a picture. */
    dragmode: matchMedia("(pointer: coarse)").matches ? false : "zoom",
    ...more,
  };
}

function scale() {
  return [
    [0, colour("--valley")],
    [0.5, colour("--slope")],
    [1, colour("--height")],
  ];
}

function line(k, more) {
  return { color: own(k), width: k === state.chosen ? 3.2 : 2, dash: dash(k), ...more };
}

function ghostLine(k) {
  return { color: own(k), width: 1.6, dash: "1px,4px" };
}

function head(k, size) {
  return {
    color: own(k),
    size,
    symbol: race.optimizers[k].look.symbol,
    line: { color: colour("--paper"), width: 1.5 },
  };
}

/* ---- the surface in two dimensions ---- */

const MARKS = {
  "global minimum": ["star", "★"],
  minimum: ["star-open", "☆"],
  maximum: ["triangle-up-open", "△"],
  saddle: ["x-thin-open", "×"],
  degenerate: ["diamond-open", "◇"],
  kink: ["square-open", "□"],
};

function kindOf(spot) {
  return spot.kind === "minimum" && spot.global ? "global minimum" : spot.kind;
}

function contours() {
  const { x, y, above } = race.surface;
  return {
    type: "contour",
    x,
    y,
    z: above.map((row) => row.map(height)),
    text: above.map((row) => row.map((value) => number(objective(value)))),
    hovertemplate: "(%{x:.3g}, %{y:.3g})<br>J = %{text}<extra></extra>",
    colorscale: scale(),
    ncontours: 18,
    line: { color: colour("--strong"), width: 0.6 },
    colorbar: {
      title: { text: plain(race.scale.name), side: "right" },
      thickness: 10,
      outlinewidth: 0,
      tickcolor: colour("--quiet"),
    },
  };
}

function criticalMarks() {
  return {
    type: "scatter",
    mode: "markers",
    x: race.critical.map((spot) => spot.point[0]),
    y: race.critical.map((spot) => spot.point[1]),
    text: race.critical.map((spot) => `${kindOf(spot)}, J = ${number(spot.value)}`),
    hovertemplate: "%{text}<extra></extra>",
    marker: {
      symbol: race.critical.map((spot) => MARKS[kindOf(spot)][0]),
      size: 11,
      color: colour("--ink"),
      line: { width: 1.6, color: colour("--ink") },
    },
  };
}

/* The traces that move, in one order for 2-D and 3-D: ghosts, paths, heads. */
function movers(draw) {
  const all = race.optimizers.map((one, k) => k);
  const ghosts = all.filter((k) => race.optimizers[k].path.ghost);
  return [
    ...ghosts.map((k) => draw.ghost(k)),
    ...all.map((k) => draw.path(k)),
    ...all.map((k) => draw.head(k)),
  ];
}

const flat = {
  ghost: (k) => {
    const [x, y] = race.optimizers[k].path.ghost.drawn;
    return flatLine(k, upTo(x, k), upTo(y, k), ghostLine(k), "without clipping");
  },
  path: (k) => {
    const [x, y] = race.optimizers[k].path.drawn;
    return flatLine(k, upTo(x, k), upTo(y, k), line(k), "");
  },
  head: (k) => {
    const [x, y] = race.optimizers[k].path.drawn;
    return {
      type: "scatter",
      mode: "markers",
      x: [x[place(k)]],
      y: [y[place(k)]],
      marker: head(k, k === state.chosen ? 14 : 11),
      hovertemplate: `${plain(race.optimizers[k].name)}<extra></extra>`,
    };
  },
};

function flatLine(k, x, y, style, note) {
  return {
    type: "scatter",
    mode: "lines",
    x,
    y,
    line: { simplify: false, ...style },
    hovertemplate: `${plain(race.optimizers[k].name)} ${note}<br>(%{x:.4g}, %{y:.4g})<extra></extra>`,
  };
}

function drawPlane() {
  const [across, up] = race.domain;
  const look = layout({
    xaxis: axis("x", { range: across, showgrid: false }),
    yaxis: axis("y", { range: up, showgrid: false }),
  });
  Plotly.react("plane", [contours(), criticalMarks(), ...movers(flat)], look, SETUP);
}

/* Only the traces that move are given anew. Not by Plotly.animate: it takes the contours away. */
function movePlane() {
  const traces = movers(flat);
  const update = { x: traces.map((trace) => trace.x), y: traces.map((trace) => trace.y) };
  Plotly.restyle("plane", update, traces.map((trace, i) => i + 2));
}

function move(id, traces, first) {
  const data = traces.map(({ x, y }) => ({ x, y }));
  const which = traces.map((trace, i) => first + i);
  const frame = { mode: "immediate", transition: { duration: 0 }, frame: { duration: 0, redraw: false } };
  Plotly.animate(id, { data, traces: which }, frame).catch(() => {
    /* the next step came first */
  });
}

function showMarks() {
  const kinds = new Set(race.critical.map(kindOf));
  const listed = Object.keys(MARKS).filter((kind) => kinds.has(kind));
  const signs = listed.map((kind) => cell("span", `${MARKS[kind][1]} ${kind}`));
  byId("marks").replaceChildren(...signs, cell("span", `shade and height: ${race.scale.name}`));
}

function isOutside(w) {
  return w.some((value, i) => value === null || value < race.domain[i][0] || value > race.domain[i][1]);
}

/* Who has left the picture, and when its numbers ended. */
function leaving(one) {
  const { w, step } = one.path;
  const out = w.findIndex(isOutside);
  if (out < 0) return "";
  const over = w.findIndex((values, i) => isGone(one.path, i));
  const back = w.findIndex((values, i) => i > out && !isOutside(values));
  const later = over < 0 ? "" : ` and is no longer finite at step ${grouped(step[over])}`;
  const again = back < 0 ? "" : ` (it is back at step ${grouped(step[back])})`;
  return `${one.name} leaves the picture by step ${grouped(step[out])}${again}${later}.`;
}

function showLeaving() {
  write("left", race.optimizers.map(leaving).filter(Boolean).join(" "));
}

/* ---- the surface in three dimensions ---- */

function spatial(values, k) {
  const { drawn, above } = values;
  const [x, y] = drawn;
  const kept = x.map((value, i) => !isOutside([value, y[i]]));
  const only = (list) => upTo(list.map((value, i) => (kept[i] ? value : null)), k);
  /* A little above the surface, or the surface would hide the line. */
  return { x: only(x), y: only(y), z: only(above.map((value) => lifted(value))) };
}

function lifted(above) {
  const found = height(above);
  return found === null ? null : found + 0.015 * tallest();
}

function tallest() {
  const all = race.surface.above.flat().map(height);
  const high = all.reduce((a, b) => Math.max(a, b), -Infinity);
  const low = all.reduce((a, b) => Math.min(a, b), Infinity);
  tallest = () => high - low; /* the surface does not change */
  return high - low;
}

const deep = {
  ghost: (k) => spatialLine(spatial(race.optimizers[k].path.ghost, k), ghostLine(k), 3),
  path: (k) => spatialLine(spatial(race.optimizers[k].path, k), line(k), k === state.chosen ? 7 : 5),
  head: (k) => {
    const { x, y, z } = spatial(race.optimizers[k].path, k);
    const last = (list) => list.slice(-1);
    return {
      type: "scatter3d",
      mode: "markers",
      x: last(x),
      y: last(y),
      z: last(z),
      marker: head(k, 6),
      hovertemplate: `${plain(race.optimizers[k].name)}<extra></extra>`,
    };
  },
};

function spatialLine(points, style, width) {
  /* WebGL's dashes are so coarse that a path falls to pieces: the heads tell who it is. */
  return {
    type: "scatter3d",
    mode: "lines",
    ...points,
    line: { color: style.color, width, dash: style.dash === "1px,4px" ? "dot" : "solid" },
    hoverinfo: "skip",
  };
}

function mountain() {
  const { z, text, x, y } = contours();
  return {
    type: "surface",
    x,
    y,
    z,
    text,
    hovertemplate: "(%{x:.3g}, %{y:.3g})<br>J = %{text}<extra></extra>",
    colorscale: scale(),
    showscale: false,
    contours: { z: { show: true, usecolormap: false, color: colour("--strong"), width: 1 } },
    lighting: { ambient: 0.75, diffuse: 0.45, specular: 0.05, roughness: 0.9 },
  };
}

function criticalSigns() {
  return {
    type: "scatter3d",
    mode: "text",
    x: race.critical.map((spot) => spot.point[0]),
    y: race.critical.map((spot) => spot.point[1]),
    z: race.critical.map((spot) => lifted(spot.value - race.scale.base)),
    text: race.critical.map((spot) => MARKS[kindOf(spot)][1]),
    textfont: { color: colour("--ink"), size: 18 },
    hoverinfo: "skip",
  };
}

function isNarrow() {
  return byId("relief").clientWidth < 480;
}

/* Further away where the picture is narrow: the numbers of the axes must fit. */
function viewpoint() {
  const away = isNarrow() ? 1.15 : 1;
  return { x: -1.25 * away, y: -1.45 * away, z: 1.05 * away };
}

function drawRelief() {
  const side = (title, more) => ({
    title: { text: title },
    color: colour("--quiet"),
    gridcolor: colour("--rule"),
    showbackground: false,
    showspikes: false,
    ...more,
  });
  const [across, up] = race.domain;
  const camera = byId("relief").layout?.scene?.camera ?? { eye: viewpoint() };
  const look = layout({
    dragmode: "turntable",
    scene: {
      xaxis: side("x", { range: across }),
      yaxis: side("y", { range: up }),
      zaxis: side(isNarrow() ? "" : plain(race.scale.name)),
      aspectratio: { x: 1.1, y: 1.1, z: 0.65 },
      camera,
    },
  });
  Plotly.react("relief", [mountain(), criticalSigns(), ...movers(deep)], look, SETUP);
}

function moveRelief() {
  const traces = movers(deep);
  const update = {};
  for (const side of ["x", "y", "z"]) update[side] = traces.map((trace) => trace[side]);
  Plotly.restyle("relief", update, traces.map((trace, i) => i + 2));
}

function canDrawRelief() {
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("webgl");
  context?.getExtension("WEBGL_lose_context")?.loseContext();
  return Boolean(context);
}

function chooseRelief() {
  if (!race.surface) return;
  if (!state.relief && !canDrawRelief()) {
    write("flat", "This browser offers no WebGL, which the 3-D picture needs: it stays with the contours.");
    byId("flat").hidden = false;
    return;
  }
  state.relief = !state.relief;
  byId("plane").hidden = state.relief;
  byId("relief").hidden = !state.relief;
  byId("third").setAttribute("aria-pressed", String(state.relief));
  drawSurface();
  /* The window may have changed while the picture was hidden. */
  Plotly.Plots.resize(state.relief ? "relief" : "plane");
}

function drawSurface() {
  if (!race.surface) return;
  if (state.relief) drawRelief();
  else drawPlane();
}

function moveSurface() {
  if (!race.surface) return;
  if (state.relief) moveRelief();
  else movePlane();
}

/* ---- J against steps ---- */

const [lowEdge, highEdge] = race.edges;

/* On a log scale 0 has no place: it is drawn at the lower edge. */
function curveHeight(above) {
  if (above === null) return null;
  return race.scale.known ? Math.max(above, lowEdge) : objective(above);
}

function curveLine(k, above, style) {
  const one = race.optimizers[k];
  return {
    type: "scatter",
    mode: "lines",
    x: one.path.step,
    y: above.map(curveHeight),
    text: above.map((value) => number(objective(value))),
    line: style,
    hovertemplate: `${plain(one.name)}, step %{x}<br>J = %{text}<extra></extra>`,
  };
}

function cursor() {
  return {
    type: "scatter",
    mode: "lines",
    x: [shown[state.at], shown[state.at]],
    y: race.edges,
    line: { color: colour("--strong"), width: 1.5 },
    hoverinfo: "skip",
  };
}

function curveHead(k) {
  const { step, above } = race.optimizers[k].path;
  return {
    type: "scatter",
    mode: "markers",
    x: [step[place(k)]],
    y: [curveHeight(above[place(k)])],
    marker: head(k, 10),
    hoverinfo: "skip",
  };
}

function curveMovers() {
  return [cursor(), ...race.optimizers.map((one, k) => curveHead(k))];
}

/* The lines stand whole from the beginning; only the cursor and the heads move. */
function curveLines() {
  const all = race.optimizers.map((one, k) => k);
  const ghosts = all.filter((k) => race.optimizers[k].path.ghost);
  return [
    ...ghosts.map((k) => curveLine(k, race.optimizers[k].path.ghost.above, ghostLine(k))),
    ...all.map((k) => curveLine(k, race.optimizers[k].path.above, line(k))),
  ];
}

function goalLine() {
  if (!race.goal || !race.scale.known) return {};
  const note = { xref: "paper", x: 1, y: Math.log10(race.goal), yanchor: "bottom", xanchor: "right" };
  return {
    shapes: [
      {
        type: "line",
        xref: "paper",
        x0: 0,
        x1: 1,
        y0: race.goal,
        y1: race.goal,
        line: { color: colour("--quiet"), width: 1, dash: "2px,3px" },
      },
    ],
    annotations: [{ ...note, text: "the goal", showarrow: false, font: { color: colour("--quiet"), size: 12 } }],
  };
}

function drawCurve() {
  const title = race.scale.known ? "J − lowest" : "J";
  const scaled = race.scale.known
    ? { type: "log", exponentformat: "power", dtick: decades(), range: race.edges.map(Math.log10) }
    : { range: race.edges };
  const look = layout({
    xaxis: axis("step", { range: [0, 1.02 * (shown[shown.length - 1] || 1)] }),
    yaxis: axis(title, scaled),
    ...goalLine(),
  });
  Plotly.react("curve", [...curveLines(), ...curveMovers()], look, SETUP);
  byId("ghosts").hidden = !race.optimizers.some((one) => one.path.ghost);
  byId("edge").hidden = !race.scale.known;
  write("edge", `Drawn from ${number(lowEdge, 1)} to ${number(highEdge, 1)}: what is lower lies on the edge.`);
}

function decades() {
  const [low, high] = race.edges.map(Math.log10);
  return Math.max(1, Math.ceil((high - low) / 8));
}

function moveCurve() {
  move("curve", curveMovers(), curveLines.count);
}

curveLines.count = race.optimizers.length + race.optimizers.filter((one) => one.path.ghost).length;

/* ---- the player ---- */

const LAST = shown.length - 1;

/* A jump of the reader's; while playing, the play goes on from there. */
function goTo(at) {
  show(Math.max(0, Math.min(LAST, at)));
  startClock();
}

function show(at) {
  state.at = at;
  moveSurface();
  moveCurve();
  showStep();
  showRule();
}

function showStep() {
  const slider = byId("slider");
  const text = `Step ${grouped(shown[state.at])} of ${grouped(race.steps)}`;
  slider.value = state.at;
  slider.setAttribute("aria-valuetext", text);
  write("now", text);
  /* A voice that reads thirty steps a second helps nobody. */
  if (!state.playing) write("spoken", text);
}

function startClock() {
  state.from = state.at;
  state.since = performance.now();
}

/* Steps follow the clock: a slow machine leaves some out rather than playing longer. */
function tick(now) {
  if (!state.playing) return;
  const passed = Math.floor((Math.max(0, now - state.since) * Number(byId("speed").value)) / 1000);
  const at = Math.min(LAST, state.from + passed);
  if (at !== state.at) show(at);
  if (at < LAST) requestAnimationFrame(tick);
  else pause();
}

function play() {
  if (state.at >= LAST) goTo(0);
  state.playing = true;
  startClock();
  write("play", "Pause");
  requestAnimationFrame(tick);
}

function pause() {
  state.playing = false;
  write("play", "Play");
  showStep();
}

function toggle() {
  if (state.playing) pause();
  else play();
}

/* ---- what the rule did ---- */

function choose(k) {
  if (!race.optimizers[k]) return;
  state.chosen = k;
  document.querySelector(`input[name=optimizer][value="${k}"]`).checked = true;
  if (byId("basin-choice")) byId("basin-choice").value = String(k);
  drawSurface();
  drawCurve();
  drawBasins();
  showRule();
}

function showRule() {
  const one = race.optimizers[state.chosen];
  const i = place(state.chosen);
  const gone = isGone(one.path, i);
  write("rule-name", one.name);
  write("rule-row", one.row);
  write("rule-formula", one.formula);
  write("rule-step", `from step ${grouped(one.path.step[i])}, α = ${number(one.path.alpha[i])}`);
  showSwatch();
  byId("rule-gone").hidden = !gone;
  byId("rule-body").hidden = gone;
  if (gone) write("rule-gone", "It has diverged: its numbers are no longer finite at this step.");
  else showNumbers(one.path, i);
}

function showSwatch() {
  const drawn = document.querySelector(`#choice label:nth-of-type(${state.chosen + 1}) .swatch`);
  byId("rule-swatch").replaceChildren(drawn.cloneNode(true));
}

function showNumbers(path, i) {
  showCoordinates(path, i);
  if (byId("arrows")) showArrows(path, i);
  showChange(path, i);
  showLength(path, i);
}

/* The columns that this rule fills: a moment it does not keep is 0 throughout. */
function columns(path) {
  const kept = [["w", path.w], [race.seen?.includes("nois") ? "∇J" : "G", path.gradient]];
  if (race.seen) kept.push([race.seen, path.clipped]);
  const used = (vectors) => vectors.some((vector) => vector.some((value) => value !== 0));
  if (used(path.v)) kept.push(["V", path.v]);
  if (used(path.f)) kept.push(["F", path.f]);
  return [...kept, ["Δ", path.delta]];
}

function showCoordinates(path, i) {
  const table = byId("coordinates");
  const kept = columns(path);
  const names = path.w[i].map((value, k) => coordinate(k));
  table.tHead.rows[0].replaceChildren(cell("th", ""), ...kept.map(([name]) => cell("th", name)));
  const rows = names.map((name, k) => {
    const row = document.createElement("tr");
    row.append(cell("th", name), ...kept.map(([, vectors]) => cell("td", number(vectors[i][k]))));
    return row;
  });
  table.tBodies[0].replaceChildren(...rows);
  const hidden = race.dimensions - names.length;
  byId("coordinates-left").hidden = !hidden;
  write("coordinates-left", `Not shown: ${grouped(hidden)} of ${grouped(race.dimensions)} coordinates.`);
}

function coordinate(k) {
  return race.dimensions === 2 ? "xy"[k] : `w${subscript(k + 1)}`;
}

function subscript(value) {
  return [...String(value)].map((digit) => "₀₁₂₃₄₅₆₇₈₉"[digit]).join("");
}

const REACH = 88; /* pixels from w to the tip of the longer arrow */

function showArrows(path, i) {
  const seen = path.clipped ?? path.gradient;
  const downhill = seen[i].map((value) => -path.alpha[i] * value);
  const step = path.delta[i];
  const longest = Math.max(norm(downhill), norm(step));
  const fit = longest ? REACH / longest : 0;
  arrow("arrow-gradient", downhill, fit);
  arrow("arrow-step", step, fit);
  /* V is a sum of gradients in one rule and of steps in another: only its direction compares. */
  const moment = path.v[i].map((value) => -value);
  arrow("arrow-moment", moment, norm(moment) ? REACH / norm(moment) : 0);
  byId("moment-key").hidden = !norm(moment);
  const ratio = norm(step) / norm(downhill);
  write("ratio", Number.isFinite(ratio) ? `Δ is ${number(ratio, 3)} times as long as −αG.` : "");
}

function norm(vector) {
  return Math.hypot(...vector.map((value) => value ?? 0));
}

function arrow(id, vector, fit) {
  const length = norm(vector) * fit;
  const group = byId(id);
  group.style.display = length > 0.5 ? "" : "none";
  if (length <= 0.5) return;
  const [across, up] = vector.map((value) => ((value ?? 0) * fit) / length);
  const tip = Math.min(11, length);
  const at = (along, aside) =>
    `${130 + along * across - aside * up} ${110 - along * up - aside * across}`;
  group.children[0].setAttribute("d", `M130 110L${at(length - tip / 2, 0)}`);
  group.children[1].setAttribute("d", `M${at(length, 0)}L${at(length - tip, tip / 2)}L${at(length - tip, -tip / 2)}z`);
}

function showChange(path, i) {
  const kinds = ["first", "second", "actual"];
  const most = Math.max(...kinds.map((kind) => Math.abs(path[kind][i] ?? 0))) || 1;
  for (const kind of kinds) {
    const value = path[kind][i];
    const bar = byId(`bar-${kind}`).previousElementSibling.firstElementChild;
    const share = (50 * Math.abs(value ?? 0)) / most;
    bar.style.width = `${share}%`;
    bar.style.left = value > 0 ? "50%" : `${50 - share}%`;
    bar.classList.toggle("rises", value > 0);
    write(`bar-${kind}`, number(value));
  }
}

const MEANING = {
  short: "Less than half of the best length on this line: a longer step would have fallen further.",
  right: "Within half to one and a half times the best length on this line.",
  long: "Beyond the lowest place on this line, though J is still lower than before.",
  "past the far wall": "More than twice the best length: to second order J is higher than before.",
  uphill: "The step goes against the gradient’s advice: J rises at first.",
};
const BENT = "The surface bends down along this step, so there is no best length: any longer step falls further, to second order.";

function showLength(path, i) {
  const bent = path.curvature[i] !== null && path.curvature[i] <= 0;
  write("length", bent ? "–" : number(path.length[i]));
  write("verdict", path.verdict[i] ?? "");
  write("meaning", bent && path.verdict[i] === "short" ? BENT : (MEANING[path.verdict[i]] ?? ""));
}

/* ---- where starts end ---- */

/* Minima with a colour of their own come first; then another, none, and diverged. */
function basinClass(label) {
  const k = race.basins.shown.indexOf(label);
  if (label === -2) return 10;
  if (label === -1) return 9;
  return k < 0 ? 8 : k;
}

const BASIN = [0, 1, 2, 3, 4, 5, 6, 7, "other", "nowhere", "lost"].map((name) => `--basin-${name}`);

function basinScale() {
  const steps = BASIN.map((name) => colour(name));
  return steps.flatMap((tint, k) => [
    [k / steps.length, tint],
    [(k + 1) / steps.length, tint],
  ]);
}

function basinName(label) {
  if (label === -2) return "diverges";
  if (label === -1) return "ends in no minimum";
  return `ends in ${point(race.critical[race.minima[label]].point)}`;
}

function drawBasins() {
  if (!race.basins) return;
  const { x, y, labels } = race.basins;
  const mine = labels[state.chosen];
  const map = {
    type: "heatmap",
    x,
    y,
    z: mine.map((row) => row.map(basinClass)),
    text: mine.map((row) => row.map(basinName)),
    hovertemplate: "a start at (%{x:.3g}, %{y:.3g})<br>%{text}<extra></extra>",
    zmin: -0.5,
    zmax: BASIN.length - 0.5,
    colorscale: basinScale(),
    showscale: false,
  };
  const [across, up] = race.domain;
  const look = layout({
    xaxis: axis("x of the start", { range: across, showgrid: false }),
    yaxis: axis("y of the start", { range: up, showgrid: false }),
  });
  Plotly.react("basins", [map, criticalMarks()], look, SETUP);
}

/* ---- the look ---- */

function paint() {
  if (state.theme) document.documentElement.dataset.theme = state.theme;
  tints.clear();
  write("theme", isDark() ? "Light look" : "Dark look");
  drawSurface();
  drawCurve();
  drawBasins();
}

function switchLook() {
  state.theme = isDark() ? "light" : "dark";
  paint();
}

/* ---- keys ---- */

const KEYS = {
  " ": toggle,
  ArrowLeft: (event) => goTo(state.at - (event.shiftKey ? 10 : 1)),
  ArrowRight: (event) => goTo(state.at + (event.shiftKey ? 10 : 1)),
  Home: () => goTo(0),
  End: () => goTo(LAST),
  d: chooseRelief,
  t: switchLook,
  "?": () => byId("keys").showModal(),
};

/* What has the focus keeps the keys that it knows itself. */
function isTaken(event) {
  const { target, key } = event;
  if (event.ctrlKey || event.altKey || event.metaKey || byId("keys").open) return true;
  if (target.matches("select")) return true;
  if (target.matches("button, input[type=radio]") && key === " ") return true;
  return target.matches("input[type=radio]") && key.startsWith("Arrow");
}

function onKey(event) {
  if (isTaken(event)) return;
  const action = /^[1-9]$/.test(event.key) ? () => choose(Number(event.key) - 1) : KEYS[event.key];
  if (!action) return;
  event.preventDefault();
  action(event);
}

/* ---- beginning ---- */

function listen() {
  byId("theme").addEventListener("click", switchLook);
  byId("help").addEventListener("click", KEYS["?"]);
  byId("play").addEventListener("click", toggle);
  byId("slider").addEventListener("input", (event) => goTo(Number(event.target.value)));
  byId("speed").addEventListener("change", startClock);
  byId("choice").addEventListener("change", (event) => choose(Number(event.target.value)));
  byId("third")?.addEventListener("click", chooseRelief);
  byId("basin-choice")?.addEventListener("change", (event) => choose(Number(event.target.value)));
  night.addEventListener("change", paint);
  document.addEventListener("keydown", onKey);
}

function begin() {
  byId("slider").max = LAST;
  if (still.matches) byId("speed").value = "4";
  if (race.surface) {
    showMarks();
    showLeaving();
  }
  listen();
  paint();
  showStep();
  showRule();
}

begin();
