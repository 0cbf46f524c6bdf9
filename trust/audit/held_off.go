//go:build wellgate_unheld

package audit

const unheld = true
