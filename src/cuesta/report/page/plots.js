/* How every picture looks: axes, contours, surfaces, and the lines and markers of traces. */

const SETUP = {
  responsive: true,
  /* Its buttons would lie on the pictures; dragging and double clicks do the same. */
  displayModeBar: false,
};

/* Plotly reads tags in names. */
function escaped(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}

/* ---- axes and frame ---- */

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

/* The ticks of a logarithmic axis: at most eight powers of ten from `low` to `high`. */
function powersOfTen(low, high) {
  const decades = Math.max(1, Math.ceil(Math.log10(high / low) / 8));
  return { type: "log", exponentformat: "power", dtick: decades, range: [low, high].map(Math.log10) };
}

/* At once: plotly's own fitting to a new width waits, and a printer does not. */
function fitPictures() {
  for (const plot of document.querySelectorAll(".js-plotly-plot")) {
    if (plot.clientWidth) Plotly.relayout(plot, { width: null, height: null, autosize: true });
  }
}

/* ---- lines and markers ---- */

function traceColour(style) {
  return isDark() ? style.dark : style.light;
}

function traceLine(style, width) {
  const dash = style.dash.map((length) => `${length}px`).join(",") || "solid";
  return { color: traceColour(style), width, dash };
}

function traceMarker(style, size) {
  return {
    color: traceColour(style),
    size,
    symbol: style.symbol,
    line: { color: colour("--paper"), width: 1.5 },
  };
}

/* ---- a surface: contours, or in three dimensions ---- */

function surfaceColours() {
  return [
    [0, colour("--valley")],
    [0.5, colour("--slope")],
    [1, colour("--height")],
  ];
}

/* `z` are the heights that are drawn, `text` what J is there, `name` what z is. */
function contours({ x, y, z, text, name }) {
  return {
    type: "contour",
    x,
    y,
    z,
    text,
    hovertemplate: "(%{x:.3g}, %{y:.3g})<br>J = %{text}<extra></extra>",
    colorscale: surfaceColours(),
    ncontours: 18,
    line: { color: colour("--strong"), width: 0.6 },
    colorbar: {
      title: { text: escaped(name), side: "right" },
      thickness: 10,
      outlinewidth: 0,
      tickcolor: colour("--quiet"),
    },
  };
}

function relief({ x, y, z, text }, opacity = 1) {
  return {
    type: "surface",
    opacity,
    x,
    y,
    z,
    text,
    hovertemplate: "(%{x:.3g}, %{y:.3g})<br>J = %{text}<extra></extra>",
    colorscale: surfaceColours(),
    showscale: false,
    contours: { z: { show: true, usecolormap: false, color: colour("--strong"), width: 1 } },
    lighting: { ambient: 0.75, diffuse: 0.45, specular: 0.05, roughness: 0.9 },
  };
}

/* How far a line is drawn above the surface, which would hide it otherwise. */
function lift(z) {
  const all = z.flat().filter((value) => value !== null);
  const high = all.reduce((a, b) => Math.max(a, b), -Infinity);
  const low = all.reduce((a, b) => Math.min(a, b), Infinity);
  return 0.015 * (high - low);
}

/* WebGL's dashes are so coarse that a path falls to pieces: its marker says whose it is. */
function line3d(points, color, width, dash = "solid") {
  return { type: "scatter3d", mode: "lines", ...points, line: { color, width, dash }, hoverinfo: "skip" };
}

/* The scene of a 3-D picture; the view that the reader has turned to stays. */
function scene(id, x, y, heightName, from = [-1, -1]) {
  const side = (title, more) => ({
    title: { text: title },
    color: colour("--quiet"),
    gridcolor: colour("--rule"),
    showbackground: false,
    showspikes: false,
    zeroline: false,
    ...more,
  });
  const isNarrow = byId(id).clientWidth < 480;
  return {
    xaxis: side(x.title, { range: x.range }),
    yaxis: side(y.title, { range: y.range }),
    zaxis: side(isNarrow ? "" : escaped(heightName)),
    aspectratio: { x: 1.1, y: 1.1, z: 0.65 },
    camera: byId(id).layout?.scene?.camera ?? viewpoint(from, isNarrow),
  };
}

/* From the corner `from` (a sign for x and one for y); further away where the picture is narrow: the
   numbers of the axes must fit. */
function viewpoint([x, y], isNarrow) {
  const away = isNarrow ? 1.2 : 1.08;
  const eye = { x: 1.25 * away * x, y: 1.45 * away * y, z: 1.05 * away };
  return { eye, center: { x: 0, y: 0, z: -0.12 } };
}

function hasWebGL() {
  const context = document.createElement("canvas").getContext("webgl");
  context?.getExtension("WEBGL_lose_context")?.loseContext();
  return Boolean(context);
}

/* A picture that is shown as contours or in 3-D, in the elements of the macro `two_views`. */
class TwoViews {
  constructor(id, draw2d, draw3d) {
    this.id = id;
    this.draw2d = draw2d;
    this.draw3d = draw3d;
    this.is3d = false;
    byId(`${id}-switch`).addEventListener("click", () => this.toggle());
  }

  /* The element of the view that is shown. */
  get shown() {
    return `${this.id}-${this.is3d ? "3d" : "2d"}`;
  }

  draw() {
    if (this.is3d) this.draw3d(this.shown);
    else this.draw2d(this.shown);
  }

  toggle() {
    if (!this.is3d && !hasWebGL()) this.sayNo3d();
    else this.show(!this.is3d);
  }

  show(is3d) {
    this.is3d = is3d;
    byId(`${this.id}-2d`).hidden = is3d;
    byId(`${this.id}-3d`).hidden = !is3d;
    byId(`${this.id}-switch`).setAttribute("aria-pressed", String(is3d));
    this.draw();
    /* The window may have changed while the picture was hidden. */
    Plotly.Plots.resize(this.shown);
  }

  sayNo3d() {
    write(`${this.id}-no-3d`, "This browser offers no WebGL, which 3-D pictures need: the contours stay.");
    byId(`${this.id}-no-3d`).hidden = false;
  }
}
