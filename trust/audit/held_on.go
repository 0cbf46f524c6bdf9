//go:build !wellgate_unheld

package audit

// unheld lets answers go before their entry is on disk, in a program that test/wire builds to prove itself.
const unheld = false
