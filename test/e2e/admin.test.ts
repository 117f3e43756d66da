import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { describe, expect, test } from 'vitest'
import { ADMIN_TOKEN, admin, ask, barely, chat, newCaller, output, VIEWER_TOKEN } from './deployment.ts'

describe('the tokens', () => {
  test('are the secrets in Secrets Manager that the outputs name', async () => {
    const client = new SecretsManagerClient({})
    const secret = async (key: string) =>
      (await client.send(new GetSecretValueCommand({ SecretId: output(key) }))).SecretString
    expect(await secret('AdminTokenSecretArn')).toBe(ADMIN_TOKEN)
    expect(await secret('ViewerTokenSecretArn')).toBe(VIEWER_TOKEN)
  })

  test('grant a viewer read access only, and a caller none', async () => {
    const { key } = await newCaller({ rpm: 1 })
    expect((await ask(VIEWER_TOKEN, 'GET', '/api/entities')).status).toBe(200)
    const entity = { entity_id: 'never-created', name: 'never' }
    expect((await ask(VIEWER_TOKEN, 'POST', '/api/entities', entity)).status).toBe(403)
    expect((await ask(key, 'GET', '/api/entities')).status).toBe(403)
    expect((await ask(null, 'GET', '/api/entities')).status).toBe(401)
  })
})

describe('an admin', () => {
  test('creates, reads, changes and deletes an entity', async () => {
    const { entityId } = await newCaller({ rpm: 1 })
    expect((await admin('GET', `/api/entities/${entityId}`)).body).toMatchObject({ entity_id: entityId })
    const changed = await admin('PATCH', `/api/entities/${entityId}`, { name: 'changed' })
    expect([changed.status, changed.body.name]).toEqual([200, 'changed'])
    expect((await admin('DELETE', `/api/entities/${entityId}`)).status).toBe(204)
    expect((await admin('GET', `/api/entities/${entityId}`)).status).toBe(404)
  })

  test('lists the demo entities', async () => {
    const { body } = await admin('GET', '/api/entities?q=proj-demo')
    expect(body.items).toMatchObject([{ entity_id: 'proj-demo', parent_id: null }])
    const children = await admin('GET', '/api/entities/proj-demo/children')
    expect(children.body.children).toEqual(expect.arrayContaining(['key-alice', 'key-bob', 'key-charlie']))
  })

  test('raises a limit, and the next request is allowed', async () => {
    const { entityId, key } = await newCaller({ rpm: 1, tpm: 10_000 })
    expect((await chat(key)).status).toBe(200)
    expect((await chat(key)).status).toBe(429)
    const limits = barely({ rpm: 3, tpm: 10_000 })
    const put = await admin('PUT', `/api/limits/${entityId}`, { limits })
    expect(put.body.limits[0]).toMatchObject({ name: 'rpm', capacity: 3, source: 'entity:_default_' })
    await expect.poll(async () => (await chat(key)).status, { timeout: 10_000, interval: 300 }).toBe(200)
  })

  test('revokes a key', async () => {
    const { entityId, key } = await newCaller({ rpm: 5, tpm: 10_000 })
    const { body } = await admin('GET', `/api/entities/${entityId}/keys`)
    const [{ key_id: keyId }] = body.items
    expect(JSON.stringify(body)).not.toContain(key)
    expect((await admin('DELETE', `/api/entities/${entityId}/keys/${keyId}`)).status).toBe(204)
    expect((await chat(key)).status).toBe(401)
  })

  test('receives the name of the invalid field', async () => {
    const { status, body } = await admin('PUT', '/api/limits/key-bob', {
      limits: [{ name: 'rpm', capacity: -1 }],
    })
    expect([status, body.error]).toEqual([400, 'invalid_request'])
    expect(body.message).toContain('limits[0].capacity')
  })
})

describe('below the stage', () => {
  test('pages, their files and the OpenAPI document are served', async () => {
    const page = await ask(null, 'GET', '/docs')
    expect(page.status).toBe(200)
    const files = [...page.body.matchAll(/(?:src|href)="\.\/([^"]+)"/g)].map(([, file]) => file)
    expect(files.length).toBeGreaterThan(2)
    for (const file of files) expect((await ask(null, 'GET', `/${file}`)).status, file).toBe(200)
    expect((await ask(null, 'GET', '/openapi.json')).body.openapi).toMatch(/^3\.1/)
    expect((await ask(null, 'GET', '/health')).body.status).toBe('ok')
    expect((await ask(null, 'GET', '/')).status).toBe(200)
  })

  test('an image arrives unchanged', async () => {
    const response = await fetch(`${output('ApiUrl')}docs/favicon-32x32.png`, {
      headers: { accept: 'image/*' },
    })
    const bytes = new Uint8Array(await response.arrayBuffer())
    expect([...bytes.slice(0, 4)]).toEqual([0x89, 0x50, 0x4e, 0x47])
  })
})
