/** Roles that most have. */
const USUAL = ['admin', 'service', 'user']

/** The usual roles, those of entities and those that were named, each once, by name. */
export const knownRoles = (
  ofEntities: readonly (string | null)[] = [],
  named: readonly string[] = [],
): readonly string[] =>
  [...new Set([...USUAL, ...ofEntities.flatMap((role) => role ?? []), ...named])].toSorted()
