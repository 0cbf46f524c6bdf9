package durable

const childEnv = "WELLGATE_DURABLE_CHILD"

func child() {}
