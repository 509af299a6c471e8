/** The entry of `kefu.js`, which the snippet names: reads its own script tag and starts the launcher. */
import { running } from './api';
import { takeMore, takePanel } from './contract';
import { launch } from './launch';
import { ownTag, readSettings } from './settings';

// Only while the script runs; a later task would find no tag, and another script's files.
const own = ownTag();
const settings = readSettings(own);
const joined = { panel: takePanel(), more: takeMore() };

function start(): void {
  if (settings && !running()) launch(settings, own, joined);
}

if (document.body) start();
else document.addEventListener('DOMContentLoaded', start);
