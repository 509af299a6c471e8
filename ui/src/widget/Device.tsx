/** One person on two devices: the way to the part that draws the code, and the question on the device that followed the link. */
import type { VisitorClient } from '../model';
import { t } from '../i18n/widget';
import { t as shared } from '../i18n/shared';
import { makePart } from '../part';
import type { Signal } from '../signals';
import { Banner } from '../ui/Banner';
import { Button } from '../ui/Button';
import { PartFailed } from '../ui/PartFailed';
import { useSignal } from '../ui/signals';
import { usePart } from '../ui/usePart';

interface DeviceProps {
  client: VisitorClient;
  onClose: () => void;
}

const codePart = makePart(async () => (await import('./DeviceCode')).DeviceCode);

export function DeviceSlot(props: DeviceProps) {
  const DeviceCode = usePart(codePart);
  if (DeviceCode) return <DeviceCode {...props} />;
  return (
    <div class="w-waiting">
      <PartFailed part={codePart} />
      {!codePart.failed.value && <span class="k-spin" />}
      <Button size="sm" onClick={props.onClose}>
        {shared('back')}
      </Button>
    </div>
  );
}

/** Nothing is taken before the person says so: a link may be opened by a program that only looks at it, or be somebody else's. */
export function TakeOver({ client, device }: { client: VisitorClient; device: Signal<string | null> }) {
  const state = useSignal<'asking' | 'busy' | 'failed'>('asking');
  const take = () => {
    state.value = 'busy';
    client.takeOver(device.peek()!).then(
      () => (device.value = null),
      (e: unknown) => {
        console.error('kefu:', e);
        state.value = 'failed';
      },
    );
  };
  const buttons = (
    <>
      <Button size="sm" onClick={() => (device.value = null)}>
        {shared(state.value === 'failed' ? 'close' : 'cancel')}
      </Button>
      <Button size="sm" kind="primary" busy={state.value === 'busy'} onClick={take}>
        {state.value === 'failed' ? shared('retry') : t('deviceTake')}
      </Button>
    </>
  );
  return (
    <Banner kind={state.value === 'failed' ? 'warn' : 'info'} action={buttons}>
      {t(state.value === 'failed' ? 'deviceFailed' : 'deviceAsk')}
    </Banner>
  );
}
