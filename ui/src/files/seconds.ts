/** `1:05`. */
export const secondsText = (secs: number): string =>
  `${Math.floor(secs / 60)}:${`${Math.floor(secs % 60)}`.padStart(2, '0')}`;
