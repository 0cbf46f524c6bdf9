// Package witness is the second pair of eyes on a transparency log: somebody else who remembers the newest tree and signs
// a larger one only if it contains that one (c2sp.org/tlog-witness, tlog-cosignature, Ed25519).
//
// It promises: the server signs no tree that does not contain the one it signed before, whatever is asked at once, after a
// crash too: the newest checkpoint is on disk before its cosignature leaves. Two trees of one log that do not fit are kept
// as proof and told to whoever asks for that log (header Conflict), so that both sides of a fork learn of it. The client sends a
// checkpoint and hashes to the address it was given and to no other, and believes no answer that does not verify.
//
// It knows sizes and hashes only; nothing of an entry ever comes here.
package witness
