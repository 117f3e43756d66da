import type { NewApiKey } from '../../api/answers.ts'
import { CopyButton } from '../../parts/copy-button.tsx'
import { Dialog } from '../../parts/dialog.tsx'
import { Notice } from '../../parts/notice.tsx'
import { expiryText } from './key-status.ts'

/** A secret, the only time that it is shown. */
export const NewSecret = ({ made, onClose }: { readonly made: NewApiKey; onClose(): void }) => (
  <Dialog title={`The key ${made.name || made.key_id}`} onClose={onClose}>
    <Notice kind="info">
      <strong>Copy the secret now.</strong> It is not kept and cannot be shown again; whoever has it can call
      as this entity.
    </Notice>
    <div class="secret">
      <code>{made.secret}</code>
      <CopyButton text={made.secret} what="the secret" />
    </div>
    <p class="quiet small">It {expiryText(made)}.</p>
    <div class="actions">
      <button class="button primary" type="button" onClick={onClose}>
        Done
      </button>
    </div>
  </Dialog>
)
