package picture

func (*drawing) png() ([]byte, error) { return nil, nil }
