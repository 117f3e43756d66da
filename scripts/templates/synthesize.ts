import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { App, BootstraplessSynthesizer, type IStackSynthesizer, type Stack } from 'aws-cdk-lib'
import { stringify } from 'yaml'
import cdkJson from '../../cdk.json' with { type: 'json' }

export interface TemplateResource {
  readonly Type: string
  readonly Properties?: Readonly<Record<string, unknown>>
  readonly DependsOn?: string | readonly string[]
  readonly Condition?: string
  readonly Metadata?: unknown
}

/** A CloudFormation template, as JSON. */
export interface CloudFormationTemplate {
  readonly Resources: Readonly<Record<string, TemplateResource>>
  readonly Parameters?: Readonly<Record<string, unknown>>
  readonly [section: string]: unknown
}

/** With `exactOptionalPropertyTypes`, the CDK's class is not its own interface. Throws if the stack has an asset. */
export const withoutBootstrap = () => new BootstraplessSynthesizer() as IStackSynthesizer

/** The text of a template. YAML 1.1, which CloudFormation reads, takes dates and `on` as more than text unless they are quoted. */
export const templateText = (template: CloudFormationTemplate): string =>
  stringify(template, { version: '1.1', lineWidth: 0, aliasDuplicateObjects: false })

/** The template of the stack that `define` adds to an app with the settings of `cdk.json`. */
export const synthesized = (define: (app: App) => Stack): CloudFormationTemplate => {
  const outdir = mkdtempSync(join(tmpdir(), 'zael-template-'))
  try {
    const app = new App({
      outdir,
      analyticsReporting: false,
      builtinCloudFormationValidation: false,
      context: cdkJson.context,
    })
    const { stackName } = define(app)
    return app.synth().getStackByName(stackName).template
  } finally {
    rmSync(outdir, { recursive: true, force: true })
  }
}
