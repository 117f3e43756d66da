const schemas = new WeakMap<object, object>()

/**
 * `check`, with what the OpenAPI document contains for it: its own converter knows no checks by code, and no numbers that are
 * read from text. `{}`: nothing.
 */
export const describedAs = <A extends object>(check: A, schema: object): A => {
  schemas.set(check, schema)
  return check
}

interface Converted {
  readonly valibotAction: object
  readonly jsonSchema: object
}

/** How schemas of valibot become JSON schemas: as JSON is sent, not what is made of it. */
export const JSON_SCHEMA_OPTIONS = {
  typeMode: 'input',
  overrideAction: ({ valibotAction, jsonSchema }: Converted): object | undefined => {
    const schema = schemas.get(valibotAction)
    return schema && { ...jsonSchema, ...schema }
  },
} as const
