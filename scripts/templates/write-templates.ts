import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { functionTemplate } from './function-template.ts'
import { type CloudFormationTemplate, templateText } from './synthesize.ts'
import { zaelTemplate } from './zael-template.ts'

/** The templates by the names of their files. */
export const TEMPLATES: Readonly<Record<string, () => CloudFormationTemplate>> = {
  'zael.template.yaml': () => zaelTemplate(),
  'function.sam.yaml': functionTemplate,
}

export const writeTemplates = (directory: string): void => {
  mkdirSync(directory, { recursive: true })
  for (const [name, template] of Object.entries(TEMPLATES)) {
    writeFileSync(join(directory, name), templateText(template()))
    console.log(join(directory, name))
  }
}
