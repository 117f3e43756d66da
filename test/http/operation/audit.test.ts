import { expect, test } from 'vitest'
import { auditResponse } from '../../../src/contract/history.ts'
import { SECOND } from '../../core/test-clock.ts'
import { asDescribed } from '../as-described.ts'
import { createTestApp } from '../test-app.ts'

const withHistory = async () => {
  const app = createTestApp()
  await app.send('POST', '/api/entities', { body: { entity_id: 'a', name: 'A' } })
  app.clock.advance(10n * SECOND)
  await app.send('POST', '/api/entities', { body: { entity_id: 'b', name: 'B' } })
  app.clock.advance(1n)
  await app.send('PATCH', '/api/entities/a', { body: { name: 'AA' } })
  const audit = async (search = '') =>
    asDescribed(await app.send('GET', `/api/audit${search}`), auditResponse)
  return { ...app, audit }
}

test('the audit log lists who changed what, newest first, with the state before and after', async () => {
  const { items } = await (await withHistory()).audit()
  expect(items.map(({ action, subject }) => `${action} ${subject}`)).toEqual([
    'entity.change a',
    'entity.create b',
    'entity.create a',
  ])
  expect(items[0]).toMatchObject({
    actor: 'admin',
    at: 1_767_225_610,
    before: { name: 'A' },
    after: { name: 'AA' },
  })
})

test('the audit log is filtered by entity and by `from`', async () => {
  const { audit } = await withHistory()
  expect((await audit('?entity_id=a')).items).toHaveLength(2)
  expect((await audit('?entity_id=a&from=1767225601')).items).toHaveLength(1)
})

test('the audit log is paged', async () => {
  const { audit } = await withHistory()
  const first = await audit('?limit=2')
  expect(first.items).toHaveLength(2)
  const rest = await audit(`?limit=2&cursor=${first.next_cursor}`)
  expect(rest).toMatchObject({ items: [{ action: 'entity.create', subject: 'a' }], next_cursor: null })
})
