// A modal dialog that closes on a click beside it, judged by the pointer as pages do; also one in a shadow root, and one that moves.
const at = new URLSearchParams(location.search).get('dialog') ?? 'light';
let home = document.body;
if (at === 'shadow') home = document.body.appendChild(document.createElement('div')).attachShadow({ mode: 'open' });
const dialog = document.createElement('dialog');
dialog.innerHTML = '<p>About our cookies</p><input placeholder="mail"><button>Close</button>';
if (at !== 'plain') dialog.style.cssText = 'transform: translate(10px, 20px); overflow: hidden; filter: grayscale(1); top: 40px; bottom: auto';
dialog.addEventListener('click', (e) => {
  const box = dialog.getBoundingClientRect();
  if (e.clientX < box.left || e.clientX > box.right || e.clientY < box.top || e.clientY > box.bottom) dialog.close();
});
dialog.querySelector('button').addEventListener('click', () => dialog.close());
home.append(dialog);
window.dialog = dialog;
if (at === 'light' || at === 'shadow') dialog.showModal();
