/** A line icon. Decorative: the button around it carries the name. Paths: icons.ts. */
export function Icon({ d, size = 20, width = 1.5 }: { d: string; size?: number; width?: number }) {
  return (
    <svg class="k-icon" width={size} height={size} viewBox="0 0 20 20" aria-hidden="true" focusable="false">
      <path
        d={d}
        fill="none"
        stroke="currentColor"
        stroke-width={width}
        stroke-linecap="round"
        stroke-linejoin="round"
      />
    </svg>
  );
}
