/** A count, capped; nothing at zero. */
export function Badge({ n, max = 9, label }: { n: number; max?: number; label?: string }) {
  if (n <= 0) return null;
  return (
    <span class="k-badge" aria-label={label}>
      {n > max ? `${max}+` : n}
    </span>
  );
}
