/** Texts about files in a thread and about to be sent. Fetched with them. */
import { translator, type Texts } from './core';
import { shared } from './shared';

const zh = {
  picked: '待发送的文件',
  preparing: '正在处理',
  sealing: '正在加密',
  tooManyFiles: '一次最多添加 {n} 个文件，其余未添加。',
  fileOver: '文件超过 {size}，不能发送。',
  emptyFile: '这是空文件或文件夹，不能发送。',
  filesOff: '此站点未开启文件发送。',
  uploadWaits: '等待上传',
  uploading: '已上传 {n}%',
  uploadDone: '已上传，等待发送',
  paused: '已暂停',
  pause: '暂停',
  resume: '继续',
  cancelFile: '取消发送',
  download: '下载',
  downloading: '已下载 {n}%',
  saveAnyway: '仍要下载',
  risky: '此类文件可能含有程序或恶意内容。除非您认识发送者并在等这份文件，否则不要打开。',
  play: '播放',
  notPlayed: '此处无法播放，请下载后打开。',
  openPicture: '查看大图',
  loadPicture: '点按加载图片',
  notLoaded: '图片未能加载',
  previous: '上一张',
  next: '下一张',
  zoomIn: '放大',
  zoomOut: '缩小',
  ofPictures: '第 {n} 张，共 {all} 张',
} as const;

const en: Record<keyof typeof zh, string> = {
  picked: 'Files to be sent',
  preparing: 'Preparing',
  sealing: 'Encrypting',
  tooManyFiles: 'At most {n} files at a time; the rest were left out.',
  fileOver: 'Larger than {size}; it cannot be sent.',
  emptyFile: 'An empty file or a folder; it cannot be sent.',
  filesOff: 'This site does not take files.',
  uploadWaits: 'Waiting to upload',
  uploading: '{n}% uploaded',
  uploadDone: 'Uploaded, waiting to be sent',
  paused: 'Paused',
  pause: 'Pause',
  resume: 'Resume',
  cancelFile: 'Cancel',
  download: 'Download',
  downloading: '{n}% downloaded',
  saveAnyway: 'Download anyway',
  risky:
    'Files of this kind can contain programs or harmful content. Open it only if you know the sender and expect it.',
  play: 'Play',
  notPlayed: 'It cannot be played here; download it instead.',
  openPicture: 'Open the picture',
  loadPicture: 'Tap to load the picture',
  notLoaded: 'The picture could not be loaded',
  previous: 'Previous',
  next: 'Next',
  zoomIn: 'Zoom in',
  zoomOut: 'Zoom out',
  ofPictures: 'Picture {n} of {all}',
};

export const files: Texts<keyof typeof zh> = { zh, en };
/** These, and the shared ones. */
export const t = translator({ zh: { ...shared.zh, ...zh }, en: { ...shared.en, ...en } });
