/** Emoji to put into the field. Fetched when it is first opened. Arrows move, Enter takes one, Escape closes. */
import { useEffect, useRef } from 'preact/hooks';
import { lang } from '../i18n/core';
import { t } from '../i18n/console';

/** In a row. */
const ROW = 10;

/** A few of each kind, in the order in which people look for them. */
const GROUPS: readonly { zh: string; en: string; all: string }[] = [
  {
    zh: '表情',
    en: 'Faces',
    all: '😀 😃 😄 😁 😆 😅 😂 🙂 😉 😊 😇 🥰 😍 😘 😋 😜 🤗 🤔 🤭 😐 😏 😒 🙄 😬 😌 😔 😪 😴 😷 🤒 🤯 🥳 😎 🤓 😕 😟 😮 😳 🥺 😢 😭 😱 😓 😤 😡 🤝',
  },
  { zh: '手势', en: 'Hands', all: '👍 👎 👌 ✌️ 🤞 👏 🙌 🙏 💪 👋 🤙 ✋ 👉 👈 👆 👇 ✍️ 🤲 🫶 🫡' },
  { zh: '心意', en: 'Hearts', all: '❤️ 🧡 💛 💚 💙 💜 🖤 💔 💕 💖 🌹 🌷 🌻 🎉 🎊 🎁 🎂 🏆 ⭐ ✨' },
  { zh: '物品', en: 'Things', all: '📦 🚚 🏠 🏪 💳 💰 🧾 📄 📎 📷 📱 💻 ⌚ 🔑 🔒 🔔 📅 ⏰ ✈️ 🚗' },
  { zh: '符号', en: 'Signs', all: '✅ ☑️ ✔️ ❌ ❗ ❓ ⚠️ ℹ️ 🔥 💡 💯 🔄 ➡️ ⬅️ ⬆️ ⬇️ 🆗 🆕 🔴 🟢' },
];

export default function Emoji({ onTake, onClose }: { onTake: (emoji: string) => void; onClose: () => void }) {
  const box = useRef<HTMLDivElement>(null);
  const buttons = (): HTMLElement[] => [...box.current!.querySelectorAll('button')];
  useEffect(() => {
    buttons()[0]?.focus();
    const outside = (e: Event) => !e.composedPath().includes(box.current!) && onClose();
    document.addEventListener('pointerdown', outside);
    return () => document.removeEventListener('pointerdown', outside);
  }, []);
  const onKey = (e: KeyboardEvent) => {
    const all = buttons();
    const at = all.indexOf(e.target as HTMLElement);
    const steps: Record<string, number> = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: ROW, ArrowUp: -ROW };
    const step = steps[e.key];
    if (e.key === 'Escape') onClose();
    else if (step) all[Math.max(0, Math.min(all.length - 1, at + step))]?.focus();
    else return;
    e.preventDefault();
    e.stopPropagation();
  };
  return (
    <div ref={box} class="c-emoji" role="dialog" aria-label={t('emoji')} onKeyDown={onKey}>
      {GROUPS.map((group) => {
        const name = lang.value === 'en' ? group.en : group.zh;
        return (
          <fieldset key={group.en}>
            <legend>{name}</legend>
            {group.all.split(' ').map((one) => (
              <button key={one} type="button" onClick={() => onTake(one)}>
                {one}
              </button>
            ))}
          </fieldset>
        );
      })}
    </div>
  );
}
