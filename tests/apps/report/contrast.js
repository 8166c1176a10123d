// Texts whose contrast with what is behind them is below 4.5 (WCAG 2, level AA).
() => {
  const parse = (text) => text.match(/[\d.]+/g).map(Number);
  const part = (v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  const light = (c) => 0.2126 * part(c[0] / 255) + 0.7152 * part(c[1] / 255) + 0.0722 * part(c[2] / 255);
  const behind = (one) => {
    for (; one; one = one.parentElement) {
      const c = parse(getComputedStyle(one).backgroundColor);
      if (c.length < 4 || c[3] > 0.5) return c;
    }
    return [255, 255, 255];
  };
  const low = [];
  for (const one of document.querySelectorAll("main *, header *, nav *, footer *")) {
    const own = [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || one.closest("svg, .picture")) continue;
    const lights = [light(parse(getComputedStyle(one).color)), light(behind(one))].sort((x, y) => y - x);
    if ((lights[0] + 0.05) / (lights[1] + 0.05) < 4.5) low.push(`${one.className}: ${one.textContent.slice(0, 30)}`);
  }
  return low;
}
