/** What an admin's console says besides conversations. */
import { expect, it } from 'vitest';
import { rest, until } from './support/clients';
import { NOW } from './support/company';
import { agent, co, li, server } from './support/world';

it('an admin hears which sites still load an old widget, an agent does not ask', async () => {
  let asked = 0;
  server.routes.set('/widgets', () => {
    asked++;
    return { latest: '0.2.0-b', old: [{ site: 'shop', version: '0.1.0-a', seen: NOW }] };
  });
  const plain = await agent(li);
  await rest();
  expect([asked, plain.client.notices.value.length]).toEqual([0, 0]);
  const admin = await agent(co.admin);
  await until(() => admin.client.notices.value.length > 0);
  const { key, params } = admin.client.notices.value[0]!;
  expect([key, params?.first]).toEqual(['notice.old_widgets', 'shop']);
  expect(params?.sites).toBe(`shop (0.1.0-a, ${new Date(NOW).toISOString().slice(5, 10)})`);
});
