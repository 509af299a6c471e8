/** Notices of an admin's console other than conversations. */
import { expect, it } from 'vitest';
import { rest, until } from './support/clients';
import { NOW } from './support/company';
import { agent, co, li, server } from './support/world';

it('an admin hears which sites still load an old widget, the unsafe ones apart; an agent does not ask', async () => {
  let asked = 0;
  server.routes.set('/widgets', () => {
    asked++;
    return {
      latest: '0.3.0-b',
      old: [
        { site: 'shop', version: '0.2.0-a', seen: NOW, unsafe: false },
        { site: 'blog', version: '0.1.0-a', seen: NOW, unsafe: true },
      ],
    };
  });
  const plain = await agent(li);
  await rest();
  expect([asked, plain.client.notices.value.length]).toEqual([0, 0]);
  const admin = await agent(co.admin);
  await until(() => admin.client.notices.value.length > 1);
  const day = new Date(NOW).toISOString().slice(5, 10);
  expect(admin.client.notices.value.map(({ kind, key, params }) => ({ kind, key, params }))).toEqual([
    { kind: 'error', key: 'notice.unsafe_widgets', params: { sites: `blog (0.1.0-a, ${day})`, first: 'blog' } },
    { kind: 'info', key: 'notice.old_widgets', params: { sites: `shop (0.2.0-a, ${day})`, first: 'shop' } },
  ]);
});
