/** A bucket that is half full. */
export const Mark = () => (
  <svg class="mark" viewBox="0 0 16 16" width="24" height="24" aria-hidden="true">
    <rect width="16" height="16" rx="4" fill="currentColor" />
    <path class="mark-bucket" d="M4 3h8v10H4z" />
    <path class="mark-fill" d="M4.7 7h6.6v5.3H4.7z" />
  </svg>
)
