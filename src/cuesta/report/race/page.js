/* The page of a race, in the order of the page. `race` is what the numbers are; `state` is what the
   reader has chosen; everything that is drawn follows from the two. */

const race = unpacked(data);
const shown = allSteps(race.optimizers);
const state = { at: opening(), chosen: 0, playing: false };

/* ---- the numbers ---- */

function opening() {
  const at = shown.indexOf(race.opens_at);
  return at < 0 ? shown.length - 1 : at;
}

function unpacked(data) {
  for (const one of data.optimizers) unpackPath(one.path);
  if (data.surface) {
    const { x, y, above } = data.surface;
    data.surface = { x: unpackColumn(x), y: unpackColumn(y), above: above.map(unpackColumn) };
  }
  return data;
}

function unpackPath(path) {
  for (const name of ["w", "gradient", "clipped", "v", "f", "delta"]) {
    if (path[name]) path[name] = byStep(path[name].map(unpackColumn));
  }
  for (const name of ["alpha", "actual", "first", "second", "length", "curvature"]) {
    path[name] = unpackColumn(path[name]);
  }
  for (const drawn of [path, path.ghost].filter(Boolean)) {
    drawn.above = unpackColumn(drawn.above);
    drawn.drawn = drawn.drawn?.map(unpackColumn);
  }
}

/* From a list for each coordinate to a vector for each step. */
function byStep(coordinates) {
  return coordinates[0].map((value, i) => coordinates.map((values) => values[i]));
}

/* J itself, from its height above the base of the scale. */
function objective(above) {
  return above === null ? null : race.scale.base + above;
}

function height(above) {
  return above === null ? null : Math.log10(Math.max(above, 0) + race.scale.small);
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

/* ---- the surface ---- */

function styleOf(k) {
  return race.optimizers[k].style;
}

/* The optimizer that is shown in detail has the thicker line. */
function pathLine(k) {
  return traceLine(styleOf(k), k === state.chosen ? 3.2 : 2);
}

function ghostLine(k) {
  return { color: traceColour(styleOf(k)), width: 1.6, dash: "1px,4px" };
}

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

/* The surface as the shared pictures take it; it does not change. */
const surface = race.surface && surfaceOf(race.surface);

function surfaceOf({ x, y, above }) {
  const z = above.map((row) => row.map(height));
  const text = above.map((row) => row.map((value) => number(objective(value))));
  return { x, y, z, text, name: race.scale.name, lift: lift(z) };
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

const in2d = {
  ghost: (k) => {
    const [x, y] = race.optimizers[k].path.ghost.drawn;
    return flatLine(k, upTo(x, k), upTo(y, k), ghostLine(k), "without clipping");
  },
  path: (k) => {
    const [x, y] = race.optimizers[k].path.drawn;
    return flatLine(k, upTo(x, k), upTo(y, k), pathLine(k), "");
  },
  head: (k) => {
    const [x, y] = race.optimizers[k].path.drawn;
    return {
      type: "scatter",
      mode: "markers",
      x: [x[place(k)]],
      y: [y[place(k)]],
      marker: traceMarker(styleOf(k), k === state.chosen ? 14 : 11),
      hovertemplate: `${escaped(race.optimizers[k].name)}<extra></extra>`,
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
    hovertemplate: `${escaped(race.optimizers[k].name)} ${note}<br>(%{x:.4g}, %{y:.4g})<extra></extra>`,
  };
}

function drawContours(id) {
  const [across, up] = race.domain;
  const frame = layout({
    xaxis: axis("x", { range: across, showgrid: false }),
    yaxis: axis("y", { range: up, showgrid: false }),
  });
  Plotly.react(id, [contours(surface), criticalMarks(), ...movers(in2d)], frame, SETUP);
}

/* Only the traces that move are given anew. Not by Plotly.animate: it takes the contours away. */
function moveSurface() {
  if (!surface) return;
  const traces = movers(surfaceViews.is3d ? in3d : in2d);
  const sides = surfaceViews.is3d ? ["x", "y", "z"] : ["x", "y"];
  const update = Object.fromEntries(sides.map((side) => [side, traces.map((trace) => trace[side])]));
  Plotly.restyle(surfaceViews.shown, update, traces.map((trace, i) => i + 2));
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
  const signs = listed.map((kind) => element("span", `${MARKS[kind][1]} ${kind}`));
  byId("marks").replaceChildren(...signs, element("span", `shade and height: ${race.scale.name}`));
}

function isOutside(w) {
  return w.some((value, i) => value === null || value < race.domain[i][0] || value > race.domain[i][1]);
}

/* Which paths leave the picture, and when they are no longer finite. */
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

/* ---- the surface in 3-D ---- */

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
  return found === null ? null : found + surface.lift;
}

const in3d = {
  ghost: (k) => line3d(spatial(race.optimizers[k].path.ghost, k), traceColour(styleOf(k)), 3, "dot"),
  path: (k) =>
    line3d(spatial(race.optimizers[k].path, k), traceColour(styleOf(k)), k === state.chosen ? 7 : 5),
  head: (k) => {
    const { x, y, z } = spatial(race.optimizers[k].path, k);
    const last = (list) => list.slice(-1);
    return {
      type: "scatter3d",
      mode: "markers",
      x: last(x),
      y: last(y),
      z: last(z),
      marker: traceMarker(styleOf(k), 6),
      hovertemplate: `${escaped(race.optimizers[k].name)}<extra></extra>`,
    };
  },
};

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

function drawRelief(id) {
  const [across, up] = race.domain;
  const frame = layout({
    dragmode: "turntable",
    scene: scene(id, { title: "x", range: across }, { title: "y", range: up }, surface.name),
  });
  Plotly.react(id, [relief(surface), criticalSigns(), ...movers(in3d)], frame, SETUP);
}

const surfaceViews = surface && new TwoViews("surface", drawContours, drawRelief);

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
    hovertemplate: `${escaped(one.name)}, step %{x}<br>J = %{text}<extra></extra>`,
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
    marker: traceMarker(styleOf(k), 10),
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
    ...all.map((k) => curveLine(k, race.optimizers[k].path.above, pathLine(k))),
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
    ? powersOfTen(lowEdge, highEdge)
    : { range: race.edges };
  const frame = layout({
    xaxis: axis("step", { range: [0, 1.02 * (shown[shown.length - 1] || 1)] }),
    yaxis: axis(title, scaled),
    ...goalLine(),
  });
  Plotly.react("curve", [...curveLines(), ...curveMovers()], frame, SETUP);
  byId("ghosts").hidden = !race.optimizers.some((one) => one.path.ghost);
  byId("edge").hidden = !race.scale.known;
  write("edge", `Shown from ${number(lowEdge, 1)} to ${number(highEdge, 1)}; a lower value is drawn on the lower edge.`);
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
  /* A screen reader that says thirty steps a second helps nobody. */
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

/* ---- one step in detail ---- */

function choose(k) {
  if (!race.optimizers[k]) return;
  state.chosen = k;
  document.querySelector(`input[name=trace][value="${k}"]`).checked = true;
  if (byId("basin-choice")) byId("basin-choice").value = String(k);
  drawAll();
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
  const kept = [["w", path.w], [race.changed_gradient?.includes("nois") ? "∇J" : "G", path.gradient]];
  if (race.changed_gradient) kept.push([race.changed_gradient, path.clipped]);
  const used = (vectors) => vectors.some((vector) => vector.some((value) => value !== 0));
  if (used(path.v)) kept.push(["V", path.v]);
  if (used(path.f)) kept.push(["F", path.f]);
  return [...kept, ["Δ", path.delta]];
}

function showCoordinates(path, i) {
  const table = byId("coordinates");
  const kept = columns(path);
  const names = path.w[i].map((value, k) => coordinate(k));
  table.tHead.rows[0].replaceChildren(element("th", ""), ...kept.map(([name]) => element("th", name)));
  const rows = names.map((name, k) => {
    const row = document.createElement("tr");
    row.append(element("th", name), ...kept.map(([, vectors]) => element("td", number(vectors[i][k]))));
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
  short: "Less than half as long as the best step α* in this direction: a longer step would lower J more.",
  right: "Between 0.5 and 1.5 times as long as the best step α* in this direction.",
  long: "Longer than the best step α* in this direction, but J is still lower than before.",
  "past the far wall": "More than twice as long as the best step α*: to second order, J is higher than before.",
  uphill: "The step points uphill: to first order, J rises.",
};
const NO_BEST = "The curvature in this direction is not positive, so there is no best length: to second order, J falls further with any longer step.";

function showLength(path, i) {
  const noBest = path.curvature[i] !== null && path.curvature[i] <= 0;
  write("length", noBest ? "–" : number(path.length[i]));
  write("verdict", path.verdict[i] ?? "");
  write("meaning", noBest && path.verdict[i] === "short" ? NO_BEST : (MEANING[path.verdict[i]] ?? ""));
}

/* ---- where the starts end ---- */

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
  const frame = layout({
    xaxis: axis("x of the start", { range: across, showgrid: false }),
    yaxis: axis("y of the start", { range: up, showgrid: false }),
  });
  Plotly.react("basins", [map, criticalMarks()], frame, SETUP);
}

/* ---- keys and controls ---- */

const KEYS = {
  " ": toggle,
  ArrowLeft: (event) => goTo(state.at - (event.shiftKey ? 10 : 1)),
  ArrowRight: (event) => goTo(state.at + (event.shiftKey ? 10 : 1)),
  Home: () => goTo(0),
  End: () => goTo(LAST),
  d: () => surfaceViews?.toggle(),
  ...digitKeys(choose),
};

function listen() {
  byId("play").addEventListener("click", toggle);
  byId("slider").addEventListener("input", (event) => goTo(Number(event.target.value)));
  byId("speed").addEventListener("change", startClock);
  byId("choice").addEventListener("change", (event) => choose(Number(event.target.value)));
  byId("basin-choice")?.addEventListener("change", (event) => choose(Number(event.target.value)));
}

/* ---- the beginning ---- */

function drawAll() {
  surfaceViews?.draw();
  drawCurve();
  drawBasins();
}

byId("slider").max = LAST;
if (reducedMotion.matches) byId("speed").value = "4";
if (surface) {
  showMarks();
  showLeaving();
}
listen();
startPage({ draw: drawAll, keys: KEYS });
showStep();
showRule();
