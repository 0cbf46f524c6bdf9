// Package policy decides who may do what. The rooms bring the rules; only this package weighs them.
package policy
