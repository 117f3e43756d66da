import './said.css'
import { useEffect, useRef } from 'preact/hooks'
import { Notice } from '../notice.tsx'

interface Props {
  readonly text: string
  /** What had the focus is gone: it goes on from here. */
  readonly takesFocus: boolean
}

/** What was done, where it is seen wherever the page is scrolled to. */
export const Said = ({ text, takesFocus }: Props) => {
  const place = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (takesFocus) place.current?.focus({ preventScroll: true })
  }, [text, takesFocus])
  return (
    <div class="said" ref={place} tabIndex={-1}>
      <Notice kind="success">{text}</Notice>
    </div>
  )
}
