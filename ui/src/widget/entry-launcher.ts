/** The entry of `kefu.js`, which the snippet names: reads its own script tag and starts the launcher. */
import { running } from './api';
import { takePanel } from './contract';
import { launch } from './launch';
import { ownTag, readSettings } from './settings';

// Only while the script runs; a later task would find no tag, and another script's panel.
const own = ownTag();
const settings = readSettings(own);
const panel = takePanel();

function start(): void {
  if (settings && !running()) launch(settings, own, panel);
}

if (document.body) start();
else document.addEventListener('DOMContentLoaded', start);
