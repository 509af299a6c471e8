/** Saves what agents corrected as a CSV on this machine. The text is decrypted here and goes nowhere else. */
import type { AgentClient } from '../model';
import { csvOf } from '../client/intent-feedback';
import { t } from '../i18n/console';
import type { ConsoleState } from './state';

export async function exportFeedback(state: ConsoleState, client: AgentClient): Promise<void> {
  state.toasts.show(() => t('exporting'), 'info');
  await state.acts.once('export', async () => {
    const examples = await client.intentFeedback();
    if (!examples.length) return state.toasts.show(() => t('exportNone'), 'info');
    const link = document.createElement('a');
    // the mark makes spreadsheets read UTF-8
    link.href = URL.createObjectURL(new Blob(['\uFEFF', csvOf(examples)], { type: 'text/csv' }));
    link.download = 'kefu-intents.csv';
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    state.toasts.show(() => t('exportDone', { n: examples.length }), 'info');
  });
}
