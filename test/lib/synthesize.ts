import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { App } from 'aws-cdk-lib'
import { Template } from 'aws-cdk-lib/assertions'
import { afterAll } from 'vitest'
import type { Flavour } from '../../lib/construct-props.ts'
import { ZaelStack } from '../../lib/zael-stack.ts'

/** Bundling is skipped: no Lambda runs here. */
const WITHOUT_BUNDLES = { 'aws:cdk:bundling-stacks': [] }

export interface Resource {
  readonly Type: string
  readonly Properties: Readonly<Record<string, unknown>>
  readonly DeletionPolicy?: string
}

const outdir = mkdtempSync(join(tmpdir(), 'zael-synth-test-'))
afterAll(() => rmSync(outdir, { recursive: true, force: true }))

let apps = 0
/** CloudFormation's own rules are checked by `npm run synth`: they take seconds to load. */
export const createApp = (): App =>
  new App({
    context: WITHOUT_BUNDLES,
    outdir: join(outdir, String(apps++)),
    builtinCloudFormationValidation: false,
  })

export const synthesize = (flavour: Flavour): Template => {
  const stack = new ZaelStack(createApp(), 'Zael-demo', {
    name: 'demo',
    flavour,
    ...(flavour === 'local'
      ? { endpoint: 'http://localhost:4566', plainTextTokens: { admin: 'dev-admin', viewer: 'dev-viewer' } }
      : {}),
  })
  return Template.fromStack(stack)
}

/** The resources of a template by logical id. */
export const resourcesOf = (template: Template): Readonly<Record<string, Resource>> =>
  template.toJSON().Resources

/** The logical id of the only resource of `type` whose id starts with `prefix`. */
export const idOf = (template: Template, type: string, prefix: string): string => {
  const ids = Object.entries(resourcesOf(template))
    .filter(([id, resource]) => resource.Type === type && id.startsWith(prefix))
    .map(([id]) => id)
  const [id] = ids
  if (id === undefined || ids.length !== 1) throw new Error(`${ids.length} of ${type} begin with ${prefix}`)
  return id
}

export interface Statement {
  readonly Action: string | readonly string[]
  readonly Effect: string
  readonly Resource: unknown
  readonly Condition?: unknown
}

/** The permissions of the role whose logical id starts with `prefix`: one entry per action. */
export const permissionsOf = (
  template: Template,
  prefix: string,
): readonly (readonly [action: string, resource: string])[] => {
  const policies = Object.entries(template.findResources('AWS::IAM::Policy'))
    .filter(([id]) => id.startsWith(prefix))
    .flatMap(([, policy]) => policy.Properties.PolicyDocument.Statement as readonly Statement[])
  return policies.flatMap(({ Action, Resource }) =>
    [Action]
      .flat()
      .flatMap((action) => [Resource].flat().map((resource) => [action, JSON.stringify(resource)] as const)),
  )
}
