package chart

import "testing"

// What the store said before all was forgotten is not remembered: its chart may be the erased one.
func TestHomesForget(t *testing.T) {
	var m homes
	k := home{"Patient", "a"}
	_, ok, before := m.find(k)
	m.forget()
	m.keep(k, 7, before)
	if _, ok2, _ := m.find(k); ok || ok2 {
		t.Error("an answer from before is remembered")
	}
	_, _, now := m.find(k)
	m.keep(k, 8, now)
	if n, ok, _ := m.find(k); !ok || n != 8 {
		t.Error(n, ok)
	}
}
