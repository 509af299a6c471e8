/** What the open widget shows: the header and one of four screens. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { Tray } from '../files/tray';
import { ClientError, type VisitorClient, type Wait } from '../model';
import { errorText, t } from '../i18n/widget';
import type { Signal } from '../signals';
import { Banner } from '../ui/Banner';
import { Button } from '../ui/Button';
import { useSignal } from '../ui/signals';
import { Broken } from './Broken';
import { Chat } from './Chat';
import { Header } from './Header';
import { LockLine } from './LockLine';
import { DeviceSlot, TakeOver } from './Device';
import { StartForm } from './StartForm';
import { ConnectionBanner } from '../ui/ConnectionBanner';
import { WaitBanner } from '../ui/WaitBanner';
import { t as shared } from '../i18n/shared';

interface PanelProps {
  client: VisitorClient;
  open: Signal<boolean>;
  device: Signal<string | null>;
}

export function Panel({ client, open, device }: PanelProps) {
  const sharing = useSignal(false);
  const asking = useSignal(false);
  const refused = useSignal<Wait | null>(null);
  // Kept here: what was written must not be lost when the form or the conversation goes from the screen.
  const draft = useSignal('');
  const tray = useState(() => new Tray())[0];
  const answers = useRef<Record<string, string>>({});
  const broken = client.trust.value.mode === 'broken';
  const site = client.site.value;
  const thread = client.thread.value;

  const live = thread?.conv.value?.state === 'open';
  // somebody else may have ended it meanwhile
  useEffect(() => {
    asking.value = false;
  }, [thread?.id, live]);

  const end = () => {
    asking.value = false;
    refused.value = null;
    // Most refusals need no text: the conversation visibly stays open. A temporary one shows until when.
    client.close().catch((e) => {
      refused.value = (e instanceof ClientError && e.wait) || null;
      console.error(e);
    });
  };
  const keepOpen = () => {
    asking.value = false;
    client.keepOpen();
  };

  return (
    <>
      <Header
        client={client}
        onClose={() => (open.value = false)}
        onEnd={() => (asking.value = true)}
        onShare={() => (sharing.value = true)}
      />
      {broken ? (
        <Broken reason={client.trust.value.reason} />
      ) : (
        <>
          <LockLine client={client} />
          <ConnectionBanner
            connection={client.connection.value}
            why={errorText(client.connection.value.reason)}
            t={t}
            onAgain={() => client.reconnect()}
          />
          {refused.value && live && <WaitBanner wait={refused.value} then="act" />}
          {live && (asking.value || client.closing.value) && (
            <EndQuestion ending={client.closing.value} onNo={keepOpen} onYes={end} />
          )}
          {device.value !== null && <TakeOver client={client} device={device} />}
          {sharing.value ? (
            <DeviceSlot client={client} onClose={() => (sharing.value = false)} />
          ) : !site ? (
            <Waiting client={client} />
          ) : client.needsForm.value && !thread ? (
            <StartForm client={client} site={site} answers={answers.current} />
          ) : (
            <Chat client={client} site={site} open={open} draft={draft} tray={tray} />
          )}
        </>
      )}
    </>
  );
}

/** `ending`: it was answered, and what was written before goes out first. */
function EndQuestion({ ending, onNo, onYes }: { ending: boolean; onNo: () => void; onYes: () => void }) {
  const buttons = (
    <>
      <Button size="sm" onClick={onNo}>
        {shared('cancel')}
      </Button>
      <Button size="sm" kind="primary" busy={ending} onClick={onYes}>
        {t('end')}
      </Button>
    </>
  );
  return (
    <Banner kind="info" action={buttons}>
      {t(ending ? 'ending' : 'endAsk')}
    </Banner>
  );
}

function Waiting({ client }: { client: VisitorClient }) {
  // While it fails, the banner above shows why.
  const trying = client.connection.value.state === 'connecting' || client.connection.value.state === 'online';
  return (
    <div class="w-waiting" role="status">
      {trying && (
        <>
          <span class="k-spin" /> {t('connecting')}
        </>
      )}
    </div>
  );
}
