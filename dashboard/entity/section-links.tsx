import { ENTITY_SECTIONS, type EntitySection, hrefOf } from '../shell/route.ts'
import { SECTION_NAMES } from '../shell/title.ts'

interface Props {
  readonly id: string
  readonly current: EntitySection
}

/** The way to the parts of an entity's view; each has its address. */
export const SectionLinks = ({ id, current }: Props) => (
  <nav class="section-links" aria-label={`Parts of ${id}`}>
    {ENTITY_SECTIONS.map((section) => (
      <a
        key={section}
        href={hrefOf({ view: 'entity', id, section })}
        aria-current={section === current ? 'page' : undefined}
      >
        {SECTION_NAMES[section]}
      </a>
    ))}
  </nav>
)
