/* What every page does: its numbers, text, colours, theme, keys and printing. A page's own script
   follows in the same module, reads `data` and calls `startPage`. */

const data = JSON.parse(byId("data").textContent);
const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");
const systemDark = matchMedia("(prefers-color-scheme: dark)");

/* ---- numbers ---- */

/* Columns of numbers come as texts, "1.5 -2e-9 …", which take half the room of lists. An empty
   place is a number that was not finite. */
function unpackColumn(text) {
  return text.split(" ").map((part) => (part === "" ? null : Number(part)));
}

function number(value, digits = 4) {
  if (value === null || value === undefined) return "–";
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return grouped(value);
  const small = value !== 0 && Math.abs(value) < 1e-3;
  const short = Number(value.toPrecision(digits));
  if (Number.isInteger(short) && Math.abs(short) < 1e6) return grouped(short);
  return withMinus((small ? short.toExponential() : String(short)).replace("e+", "e"));
}

function grouped(value) {
  return withMinus((value + 0).toLocaleString("en-US")); /* −0 is 0 */
}

function withMinus(text) {
  return text.replaceAll("-", "−");
}

function point(values) {
  return `(${values.map((value) => number(value)).join(", ")})`;
}

/* ---- elements ---- */

function byId(id) {
  return document.getElementById(id);
}

function write(id, text) {
  byId(id).textContent = text;
}

/* An element with text; text never becomes markup. */
function element(tag, text) {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}

/* ---- colours ---- */

const colours = new Map(); /* until the theme changes: asking costs a layout */

/* A colour of the style sheet as plotly can read it: light-dark() is resolved by an element only. */
function colour(name) {
  if (!colours.has(name)) colours.set(name, resolvedColour(name));
  return colours.get(name);
}

function resolvedColour(name) {
  const probe = document.createElement("i");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

/* ---- the theme ---- */

let theme = null; /* the reader's choice; null follows the system */
let drawPage = () => {};

function isDark() {
  return theme ? theme === "dark" : systemDark.matches;
}

function applyTheme() {
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  colours.clear();
  write("theme", isDark() ? "Light theme" : "Dark theme");
  drawPage();
}

function switchTheme() {
  theme = isDark() ? "light" : "dark";
  applyTheme();
}

/* ---- keys ---- */

const keys = { t: switchTheme, "?": () => byId("keys").showModal() };

/* The keys 1 to 9 for the first nine of something. */
function digitKeys(action) {
  return Object.fromEntries([..."123456789"].map((digit, k) => [digit, () => action(k)]));
}

/* What has the focus keeps the keys that it uses itself. */
function isTaken(event) {
  const { target, key } = event;
  if (event.ctrlKey || event.altKey || event.metaKey || byId("keys").open) return true;
  if (target.matches("select")) return true;
  if (target.matches("button, summary, input:is([type=radio], [type=checkbox])") && key === " ") return true;
  return target.matches("input[type=radio]") && key.startsWith("Arrow");
}

function onKey(event) {
  if (isTaken(event) || !Object.hasOwn(keys, event.key)) return;
  event.preventDefault();
  keys[event.key](event);
}

/* ---- printing ---- */

let themeOnScreen = null;

/* Paper is light and narrow: pictures are drawn for it before it is laid out. */
function beforePrint() {
  themeOnScreen = theme;
  theme = "light";
  document.documentElement.classList.add("printing");
  applyTheme();
  fitPictures();
}

function afterPrint() {
  theme = themeOnScreen;
  document.documentElement.classList.remove("printing");
  applyTheme();
  fitPictures();
}

/* ---- the beginning ---- */

/* `draw` draws all pictures, now and whenever colours change; `keys` are the page's own. */
function startPage(page) {
  drawPage = page.draw;
  Object.assign(keys, page.keys);
  byId("theme").addEventListener("click", switchTheme);
  byId("help").addEventListener("click", keys["?"]);
  systemDark.addEventListener("change", applyTheme);
  document.addEventListener("keydown", onKey);
  addEventListener("beforeprint", beforePrint);
  addEventListener("afterprint", afterPrint);
  applyTheme();
}
