// The names of a simulated disk: folders and files as a running system sees them, and as a power cut
// would leave them. A change of names (make, rename, remove) is whole or absent afterwards, but until
// its folder is synced it may be absent even when later ones are there.
import type { Random } from '@millrace/base/random'
import { BLOCK_BYTES, type Pages, survivors } from './pages.ts'

export class FileNode {
  readonly kind = 'file'
  readonly pages: Pages
  openCount = 0

  constructor(pages: Pages) {
    this.pages = pages
  }
}

export class FolderNode {
  readonly kind = 'folder'
  readonly names = new Map<string, TreeNode>()
  /** What is certain to survive. */
  readonly durableNames = new Map<string, TreeNode>()
}

export type TreeNode = FileNode | FolderNode

interface Place {
  readonly folder: FolderNode
  readonly name: string
}

interface NameChange {
  readonly removed?: Place
  readonly added?: Place & { readonly node: TreeNode }
}

export interface PowerCut {
  readonly random: Random
  readonly tearsWithinSectors: boolean
}

export class Tree {
  readonly root = new FolderNode()
  /** Changes that no folder sync has made durable yet, oldest first. */
  #changes: NameChange[] = []
  /** Files without a name that a process still has open. */
  readonly #unlinked = new Set<FileNode>()

  get usedBytes(): number {
    let bytes = 0
    for (const file of this.#unlinked) bytes += file.pages.allocatedBytes
    const visit = (folder: FolderNode): void => {
      for (const node of folder.names.values()) {
        if (node.kind === 'file') bytes += node.pages.allocatedBytes
        else {
          bytes += BLOCK_BYTES
          visit(node)
        }
      }
    }
    visit(this.root)
    return bytes
  }

  /** The node a path names; undefined when there is none. */
  find(path: string): TreeNode | undefined {
    let node: TreeNode | undefined = this.root
    for (const name of partsOf(path)) {
      if (node?.kind !== 'folder') return undefined
      node = node.names.get(name)
    }
    return node
  }

  /** Where a path's last name stands or would stand; undefined without its folder. */
  place(path: string): Place | undefined {
    const parts = partsOf(path)
    const name = parts.pop()
    const folder = this.find(parts.join('/'))
    return name === undefined || folder?.kind !== 'folder' ? undefined : { folder, name }
  }

  add(place: Place, node: TreeNode): void {
    place.folder.names.set(place.name, node)
    this.#changes.push({ added: { ...place, node } })
  }

  remove(place: Place): void {
    this.#unlink(place)
    this.#changes.push({ removed: place })
  }

  rename(from: Place, to: Place, node: TreeNode): void {
    this.#unlink(to)
    from.folder.names.delete(from.name)
    to.folder.names.set(to.name, node)
    this.#changes.push({ removed: from, added: { ...to, node } })
  }

  /** Makes the changes in this folder durable, and those that they rest on. */
  syncFolder(folder: FolderNode): void {
    const folders = new Set([folder])
    const settled = new Set<NameChange>()
    for (const change of this.#changes.toReversed()) {
      const touched = [change.removed?.folder, change.added?.folder].filter(
        (one) => one !== undefined,
      )
      if (!touched.some((one) => folders.has(one))) continue
      settled.add(change)
      for (const one of touched) folders.add(one)
    }
    this.#settle(this.#changes.filter((change) => settled.has(change)))
  }

  /** The system makes some changes durable, and writes back some pages, because it feels like it. */
  writeBack(random: Random): void {
    this.#settle(this.#changes.slice(0, random.integer(this.#changes.length + 1)))
    for (const file of this.files().values()) if (file.pages.isDirty) file.pages.writeBack(random)
  }

  closed(file: FileNode): void {
    file.openCount--
    if (file.openCount === 0) this.#unlinked.delete(file)
  }

  /** All files by path. */
  files(): Map<string, FileNode> {
    const files = new Map<string, FileNode>()
    const visit = (folder: FolderNode, path: string): void => {
      for (const [name, node] of folder.names) {
        if (node.kind === 'file') files.set(`${path}/${name}`, node)
        else visit(node, `${path}/${name}`)
      }
    }
    visit(this.root, '')
    return files
  }

  /** The same names and contents in the same state, as a killed process leaves them. */
  copy(): Tree {
    const tree = new Tree()
    const copies = new Map<TreeNode, TreeNode>([[this.root, tree.root]])
    const copyOf = (node: TreeNode): TreeNode => {
      const known = copies.get(node)
      if (known !== undefined) return known
      const copy = node.kind === 'file' ? new FileNode(node.pages.copy()) : new FolderNode()
      copies.set(node, copy)
      if (node.kind === 'folder' && copy.kind === 'folder') fill(node, copy)
      return copy
    }
    const folderOf = (folder: FolderNode): FolderNode => {
      const copy = copyOf(folder)
      return copy.kind === 'folder' ? copy : folder
    }
    const fill = (folder: FolderNode, copy: FolderNode): void => {
      for (const [name, node] of folder.names) copy.names.set(name, copyOf(node))
      for (const [name, node] of folder.durableNames) copy.durableNames.set(name, copyOf(node))
    }
    fill(this.root, tree.root)
    tree.#changes = this.#changes.map(({ removed, added }) => ({
      ...(removed && { removed: { folder: folderOf(removed.folder), name: removed.name } }),
      ...(added && {
        added: { folder: folderOf(added.folder), name: added.name, node: copyOf(added.node) },
      }),
    }))
    return tree
  }

  /** What is there after a power cut at this moment, as chance decides. */
  afterPowerCut({ random, tearsWithinSectors }: PowerCut): Tree {
    const durable = this.copy()
    durable.#settle(survivors(durable.#changes, random))
    const tree = new Tree()
    const copies = new Map<FileNode, FileNode>()
    const visit = (folder: FolderNode, into: FolderNode): void => {
      for (const [name, node] of folder.durableNames) {
        let copy: TreeNode
        if (node.kind === 'folder') {
          copy = new FolderNode()
          visit(node, copy)
        } else {
          const known = copies.get(node)
          copy = known ?? new FileNode(node.pages.afterPowerCut(random, tearsWithinSectors))
          copies.set(node, copy)
        }
        into.names.set(name, copy)
        into.durableNames.set(name, copy)
      }
    }
    visit(durable.root, tree.root)
    return tree
  }

  #unlink(place: Place): void {
    const node = place.folder.names.get(place.name)
    place.folder.names.delete(place.name)
    if (node?.kind === 'file' && node.openCount > 0) this.#unlinked.add(node)
  }

  #settle(changes: readonly NameChange[]): void {
    for (const { removed, added } of changes) {
      removed?.folder.durableNames.delete(removed.name)
      added?.folder.durableNames.set(added.name, added.node)
    }
    const settled = new Set(changes)
    this.#changes = this.#changes.filter((change) => !settled.has(change))
  }
}

function partsOf(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.')
}
