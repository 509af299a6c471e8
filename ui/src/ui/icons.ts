/** Line icons on a grid of 20, drawn here so that nothing is fetched. One constant each: a page carries only what it shows. */
export const chat =
  'M4 5.5A1.5 1.5 0 0 1 5.5 4h9A1.5 1.5 0 0 1 16 5.5v6a1.5 1.5 0 0 1-1.5 1.5H9l-3.5 3v-3A1.5 1.5 0 0 1 4 11.5z';
export const attach =
  'M15.5 9.5l-5.3 5.3a3.2 3.2 0 0 1-4.5-4.5l5.6-5.6a2.1 2.1 0 0 1 3 3l-5.5 5.5a1 1 0 0 1-1.5-1.5l4.9-4.9';
export const microphone =
  'M10 12a2.5 2.5 0 0 0 2.5-2.5v-4a2.5 2.5 0 0 0-5 0v4A2.5 2.5 0 0 0 10 12zM5 9.5a5 5 0 0 0 10 0M10 14.5V17';
export const photo = 'M3 6.5h3l1.2-2h5.6l1.2 2h3v9H3zM10 13.5a2.7 2.7 0 1 0 0-5.4 2.7 2.7 0 0 0 0 5.4z';
export const file = 'M5 3h6l4 4v10H5zM11 3v4h4';
export const save = 'M10 3.5v9M6 9l4 4 4-4M4 16.5h12';
export const play = 'M6.5 4.5v11l9-5.5z';
export const pause = 'M7 5v10M13 5v10';
export const next = 'M8 4l6 6-6 6';
export const plus = 'M10 4.5v11M4.5 10h11';
export const minus = 'M4.5 10h11';
export const close = 'M5 5l10 10M15 5L5 15';
export const down = 'M5 8l5 5 5-5';
export const up = 'M5 12l5-5 5 5';
export const smile = 'M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM7.5 8.2h.01M12.5 8.2h.01M7 11.8c1.5 2 4.5 2 6 0';
export const find = 'M9 14a5 5 0 1 0 0-10 5 5 0 0 0 0 10zM12.8 12.8L16.5 16.5';
export const back = 'M12 4l-6 6 6 6';
export const send = 'M10 16V4M5 9l5-5 5 5';
export const lock = 'M6 9V7a4 4 0 0 1 8 0v2M5 9h10v7H5z';
export const unlock = 'M6 9V6.5a3.5 3.5 0 0 1 6.8-1.2M5 9h10v7H5z';
export const alert = 'M10 3.5l7 12.5H3zM10 8.5v3.5M10 14v.2';
export const eye = 'M2.5 10S5 5 10 5s7.5 5 7.5 5-2.5 5-7.5 5-7.5-5-7.5-5zM10 12a2 2 0 1 0 0-4 2 2 0 0 0 0 4z';
export const eyeOff =
  'M3 3l14 14M8 5.3A7 7 0 0 1 10 5c5 0 7.5 5 7.5 5a13 13 0 0 1-2.3 2.9M5.3 6.6C3.5 7.9 2.5 10 2.5 10S5 15 10 15a7 7 0 0 0 3-.7';
export const check = 'M4.5 10.5l3.5 3.5 7.5-8';
export const more = 'M5 10h.01M10 10h.01M15 10h.01';
export const transfer = 'M4 7h11M12 4l3 3-3 3M16 13H5M8 10l-3 3 3 3';
export const note = 'M5 3.5h10v9l-4 4H5zM15 12.5h-4v4';
export const person = 'M10 10a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM4 16.5c.6-3 3-4.5 6-4.5s5.4 1.5 6 4.5';
export const team =
  'M7.5 10a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM2.5 16c.4-2.6 2.3-4 5-4s4.6 1.4 5 4M13 5.2a2.5 2.5 0 0 1 0 4.6M14.5 12.3c1.7.5 2.8 1.8 3 3.7';
export const globe = 'M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM3 10h14M10 3c4 4 4 10 0 14M10 3c-4 4-4 10 0 14';
export const key = 'M8 12.5a3.5 3.5 0 1 1 0-5M7.9 10H17M14 10v3';
export const info = 'M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM10 9v5M10 6.5v.1';
export const bell = 'M5.5 13.5V9a4.5 4.5 0 0 1 9 0v4.5l1.5 1H4zM8.5 16.5h3';
export const inbox = 'M3.5 11l2.5-6.5h8l2.5 6.5v5h-13zM3.5 11H7.5l1 2h3l1-2h4';
export const keyboard = 'M2.5 5.5h15v9h-15zM5 8.5h.01M8 8.5h.01M11 8.5h.01M14 8.5h.01M6.5 11.7h7';
export const knowledge =
  'M10 5.5C8.5 4.3 6.5 4 3.5 4v10.5c3 0 5 .3 6.5 1.5 1.5-1.2 3.5-1.5 6.5-1.5V4c-3 0-5 .3-6.5 1.5zM10 5.5V16';
export const device =
  'M6.5 3h7A1.5 1.5 0 0 1 15 4.5v11a1.5 1.5 0 0 1-1.5 1.5h-7A1.5 1.5 0 0 1 5 15.5v-11A1.5 1.5 0 0 1 6.5 3zM9 14.5h2';
