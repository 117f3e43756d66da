import { describe, expect, test } from 'vitest'
import type { Entity } from '../../../dashboard/api/responses.ts'
import {
  entityDraftOf,
  entityPatch,
  newEntityBody,
  newEntityDraft,
} from '../../../dashboard/entity/entity-draft.ts'

const BOB: Entity = {
  entity_id: 'key-bob',
  name: 'Bob',
  parent_id: 'proj-demo',
  kind: 'key',
  cascade: true,
  role: null,
  priority: 'normal',
  models: ['gpt-4'],
  disabled: false,
  bypass: false,
  created_at: 1,
  metadata: { team: 'blue' },
}

describe('a draft of an entity', () => {
  test('patches only what was changed', () => {
    const draft = entityDraftOf(BOB)
    expect(entityPatch(BOB, draft)).toEqual({})
    expect(entityPatch(BOB, { ...draft, name: ' Robert ', models: '', parentId: '', bypass: true })).toEqual({
      name: 'Robert',
      models: null,
      parent_id: null,
      bypass: true,
    })
    expect(entityPatch(BOB, { ...draft, models: 'gpt-4,gpt-4o  a/b' })).toEqual({
      models: ['gpt-4', 'gpt-4o', 'a/b'],
    })
  })

  test('creates with what creation knows', () => {
    const draft = { ...newEntityDraft('proj-demo'), id: ' dora ', name: 'Dora' }
    expect(newEntityBody(draft)).toEqual({
      entity_id: 'dora',
      name: 'Dora',
      kind: 'key',
      parent_id: 'proj-demo',
      role: null,
      priority: 'normal',
      models: null,
      cascade: true,
    })
  })
})
