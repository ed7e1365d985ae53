/* The page of a network's loss. `surface` and `paths` are what the numbers are; `visible` is what the
   reader has chosen; everything that is drawn follows from them. */

const LEAST = 1e-12; /* of J: its logarithm is drawn */
const surface = unpackSurface();
const paths = data.paths.map(unpackPath);
const visible = paths.map(() => true);

/* ---- the numbers ---- */

function logOf(j) {
  return j === null ? null : Math.log10(Math.max(j, LEAST));
}

function unpackSurface() {
  const j = data.j.map(unpackColumn);
  const z = j.map((row) => row.map(logOf));
  const text = j.map((row) => row.map((value) => number(value)));
  return { x: unpackColumn(data.x), y: unpackColumn(data.y), z, text, name: "log₁₀ J", lift: lift(z) };
}

function unpackPath({ name, lost, x, y, j }, k) {
  const heights = unpackColumn(j);
  const last = heights.length - 1;
  const said = heights.map((value, epoch) => {
    const end = lost && epoch === last ? ", then lost" : "";
    return `${escaped(name)}, epoch ${epoch}<br>J = ${number(value)}${end}`;
  });
  return { x: unpackColumn(x), y: unpackColumn(y), j: heights, said, style: data.styles[k] };
}

/* ---- the plane ---- */

/* The paths that are shown, the later ones above. */
function chosen() {
  return paths.filter((path, k) => visible[k]);
}

/* A point at each epoch and a larger one at the end, in the marker of the optimizer. */
function sizes(path, small, large) {
  return path.j.map((value, epoch) => (epoch === path.j.length - 1 ? large : epoch ? small : 0));
}

function trace(path, x, y) {
  const marker = traceMarker(path.style, sizes(path, 5, 12));
  marker.line.width = path.j.map((value, epoch) => (epoch === path.j.length - 1 ? 1.5 : 0));
  return {
    type: "scatter",
    mode: "lines+markers",
    x,
    y,
    text: path.said,
    hovertemplate: "%{text}<extra></extra>",
    line: { ...traceLine(path.style, 2), simplify: false },
    marker: { ...marker, opacity: 1 },
  };
}

function start() {
  return {
    type: "scatter",
    mode: "markers",
    x: [paths[0].x[0]],
    y: [paths[0].y[0]],
    marker: { symbol: "circle-open", size: 11, color: colour("--ink"), line: { width: 2 } },
    hovertemplate: "the common start<extra></extra>",
  };
}

function drawContours(id) {
  const ends = ([first, ...rest]) => [first, rest.at(-1)];
  const frame = layout({
    xaxis: axis("first direction", { range: ends(surface.x), showgrid: false }),
    yaxis: axis("second direction", { range: ends(surface.y), showgrid: false }),
  });
  const lines = chosen().map((path) => trace(path, path.x, path.y));
  Plotly.react(id, [contours(surface), ...lines, start()], frame, SETUP);
}

/* ---- the surface in 3-D ---- */

function lifted(path) {
  return path.j.map((value) => (value === null ? null : logOf(value) + surface.lift));
}

function trace3d(path) {
  return {
    ...line3d({ x: path.x, y: path.y, z: lifted(path) }, traceColour(path.style), 5),
    mode: "lines+markers",
    marker: traceMarker(path.style, sizes(path, 2, 6)),
    text: path.said,
    hoverinfo: "text",
  };
}

/* The lowest corner: seen from there, no ridge hides the paths. */
function lowCorner() {
  const corners = [[-1, -1], [1, -1], [-1, 1], [1, 1]];
  const height = ([x, y]) => surface.z.at(y > 0 ? -1 : 0).at(x > 0 ? -1 : 0) ?? Infinity;
  return corners.reduce((best, corner) => (height(corner) < height(best) ? corner : best));
}

/* Paths run above or below the surface, whichever their J is: it lets them shine through. */
function drawRelief(id) {
  const frame = layout({
    dragmode: "turntable",
    scene: scene(id, { title: "first direction" }, { title: "second direction" }, surface.name, lowCorner()),
  });
  Plotly.react(id, [relief(surface, 0.8), ...chosen().map(trace3d)], frame, SETUP);
}

/* ---- J against epochs ---- */

function drawCurve() {
  const all = paths.flatMap((path) => path.j).filter((value) => value > 0);
  const low = Math.max(LEAST, Math.min(...all)) / 1.3;
  const high = Math.max(...all) * 1.3;
  const frame = layout({
    xaxis: axis("epoch", { rangemode: "tozero" }),
    yaxis: axis("J", powersOfTen(low, high)),
  });
  const lines = chosen().map((path) => trace(path, path.j.map((value, epoch) => epoch), path.j));
  Plotly.react("curve", lines, frame, SETUP);
}

/* ---- the choice of paths, keys, the beginning ---- */

function drawAll() {
  surfaceViews.draw();
  drawCurve();
}

function toggle(k) {
  const box = document.querySelector(`#choice input[value="${k}"]`);
  if (!box) return;
  box.checked = !box.checked;
  readChoice();
}

function readChoice() {
  for (const box of document.querySelectorAll("#choice input")) visible[Number(box.value)] = box.checked;
  drawAll();
}

const surfaceViews = new TwoViews("surface", drawContours, drawRelief);
byId("choice").addEventListener("change", readChoice);
startPage({ draw: drawAll, keys: { d: () => surfaceViews.toggle(), ...digitKeys(toggle) } });
