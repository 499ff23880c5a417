/* A button that draws an SVG file's text into a PNG, in the browser: no server draws pictures, and the style rules of a page
   (mixed colours, its own font) are understood nowhere else. */
export default function (component) {
  const { data, parentElement } = component;
  const button = parentElement.querySelector("button");
  if (!button || !data) return;
  button.textContent = data.label;
  button.onclick = () => save(data);
}

async function save({ svg, name, background, scale, margin }) {
  const file = new DOMParser().parseFromString(svg, "image/svg+xml");
  const root = file.documentElement;
  const style = root.querySelector("style");
  if (style) style.textContent = (await fonts()) + style.textContent;
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(new XMLSerializer().serializeToString(file))}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  const [wide, high] = ["width", "height"].map((name) => Math.round(Number(root.getAttribute(name)) * scale));
  canvas.width = wide + 2 * margin;
  canvas.height = high + 2 * margin;
  const pen = canvas.getContext("2d");
  pen.fillStyle = background;
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.drawImage(image, margin, margin, wide, high);
  const blob = await new Promise((done) => canvas.toBlob(done, "image/png"));
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

/* The page's own faces of the text font, as rules that an image can read: an image may fetch nothing. */
async function fonts() {
  const faces = [...document.styleSheets].flatMap((sheet) => {
    try { return [...sheet.cssRules].filter((rule) => rule instanceof CSSFontFaceRule && /Source Sans/.test(rule.cssText)).map(
      (rule) => [rule.cssText, sheet.href || document.baseURI]); } catch { return []; }
  });
  const inlined = await Promise.all(faces.map(async ([text, base]) => {
    const address = /url\("?([^")]+)"?\)/.exec(text)?.[1];
    try { return address ? text.replace(/url\("?[^")]+"?\)/, `url(${await inline(new URL(address, base))})`) : ""; } catch { return ""; }
  }));
  return inlined.join("\n");
}

async function inline(address) {
  const blob = await (await fetch(address)).blob();
  return new Promise((done) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result);
    reader.readAsDataURL(blob);
  });
}
