// What a page translation does: every text node is wrapped and replaced, open shadow roots included, again and again.
window.wrapped = 0;
const wrap = (root) => {
  const walk = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const texts = [];
  while (walk.nextNode()) texts.push(walk.currentNode);
  for (const text of texts) {
    if (!text.data.trim() || text.parentNode.localName === 'font' || /^(script|style|textarea)$/.test(text.parentNode.localName)) continue;
    const font = document.createElement('font');
    text.replaceWith(font);
    font.append(text.data);
    window.wrapped++;
  }
};
setInterval(() => {
  wrap(document.body);
  const root = document.querySelector('kefu-widget')?.shadowRoot;
  if (root) wrap(root);
}, 50);
