/** Saves what agents corrected as a CSV on this machine. The text is decrypted here and goes nowhere else. */
import type { AgentClient } from '../model';
import { csvOf } from '../client/corrections';
import { t } from '../i18n/console';
import { toast } from '../ui/Toasts';
import { actOnce } from './act';

export async function exportFixes(client: AgentClient): Promise<void> {
  toast(() => t('exporting'), 'info');
  await actOnce('export', async () => {
    const examples = await client.corrections();
    if (!examples.length) return toast(() => t('exportNone'), 'info');
    const link = document.createElement('a');
    // the mark makes spreadsheets read UTF-8
    link.href = URL.createObjectURL(new Blob(['\uFEFF', csvOf(examples)], { type: 'text/csv' }));
    link.download = 'kefu-intents.csv';
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    toast(() => t('exportDone', { n: examples.length }), 'info');
  });
}
