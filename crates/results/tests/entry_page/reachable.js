// What is wrong with the page as it stands, for people who use a keyboard, a screen reader, a finger or weak eyes.
(() => {
  const wrong = [];
  const of = (node) => `${node.tagName.toLowerCase()} ${node.id || node.className} "${node.textContent.trim().slice(0, 30)}"`;
  const all = (selector) => [...document.querySelectorAll(selector)].filter((node) => node.checkVisibility());

  const ids = [...document.querySelectorAll('[id]')].map((node) => node.id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) wrong.push(`id ${id} stands twice`);
  for (const input of all('input, select')) if (input.labels.length !== 1) wrong.push(`${of(input)} has no label`);
  for (const node of all('[aria-describedby], [aria-labelledby]')) {
    const named = `${node.getAttribute('aria-describedby') ?? ''} ${node.getAttribute('aria-labelledby') ?? ''}`;
    for (const id of named.trim().split(/\s+/)) if (!ids.includes(id)) wrong.push(`${of(node)} refers to ${id}`);
  }
  const levels = all('h1, h2, h3').map((node) => Number(node.tagName[1]));
  if (levels[0] !== 1 || levels.filter((level) => level === 1).length !== 1) wrong.push('not one h1, first');
  levels.forEach((level, place) => { if (place > 0 && level > levels[place - 1] + 1) wrong.push('a heading skips a level'); });

  for (const node of all('button, summary, a, select, input')) {
    const target = ['checkbox', 'radio'].includes(node.type) ? node.parentElement : node;
    const { width, height } = target.getBoundingClientRect();
    if (width < 24 || height < 24) wrong.push(`${of(node)} is ${width} by ${height}`);
  }
  const { scrollWidth, clientWidth } = document.documentElement;
  if (scrollWidth > clientWidth) wrong.push(`wider than the screen: ${scrollWidth} of ${clientWidth}`);

  const colour = (text) => text.match(/[\d.]+/g).map(Number);
  const ground = (node) => {
    for (let each = node; each !== null; each = each.parentElement) {
      const [r, g, b, a = 1] = colour(getComputedStyle(each).backgroundColor);
      if (a === 1) return [r, g, b];
    }
    return [255, 255, 255];
  };
  const light = (rgb) => {
    const [r, g, b] = rgb.map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (one, other) => {
    const [dark, bright] = [light(one), light(other)].sort((x, y) => x - y);
    return (bright + 0.05) / (dark + 0.05);
  };
  for (const node of all('body *')) {
    const hasText = [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim() !== '');
    if (!hasText && node.tagName !== 'INPUT') continue;
    const ratio = contrast(colour(getComputedStyle(node).color).slice(0, 3), ground(node));
    if (ratio < 4.5) wrong.push(`${of(node)} has contrast ${ratio.toFixed(2)}`);
  }
  for (const input of all('input.figure, input[type=text], input[type=search], select')) {
    const ratio = contrast(colour(getComputedStyle(input).borderTopColor).slice(0, 3), ground(input.parentElement));
    if (ratio < 3) wrong.push(`${of(input)} has an edge of contrast ${ratio.toFixed(2)}`);
  }
  return [...new Set(wrong)];
})()
