package rt

import "reflect"

// Native is a value as package encoding/json would find it in Go: structs of the
// program with their fields' names and tags, without methods.
func Native(x any) any {
	x = unwrapped(x)
	if x == nil {
		return nil
	}
	return native(ID(x), reflect.ValueOf(Value(x))).Interface()
}

// nativeType is the type that native values of a type have.
func nativeType(id int, t reflect.Type) reflect.Type {
	d := &Type{}
	if id > 0 {
		d = types[id]
	}
	switch t.Kind() {
	case reflect.Struct:
		if id <= 0 {
			return t
		}
		var fields []reflect.StructField
		for i, f := range d.Fields {
			if f.Exported {
				fields = append(fields, reflect.StructField{Name: f.Name, Type: nativeType(f.Type, t.Field(i).Type), Tag: reflect.StructTag(f.Tag), Anonymous: f.Embedded})
			}
		}
		return reflect.StructOf(fields)
	case reflect.Pointer:
		if id > 0 {
			return reflect.TypeFor[any]() // which is written as the pointer is, and ends recursive types
		}
		return t
	case reflect.Slice:
		return reflect.SliceOf(nativeType(d.Elem, t.Elem()))
	case reflect.Array:
		return reflect.ArrayOf(t.Len(), nativeType(d.Elem, t.Elem()))
	case reflect.Map:
		return reflect.MapOf(t.Key(), nativeType(d.Elem, t.Elem()))
	}
	return t
}

func native(id int, v reflect.Value) reflect.Value {
	t := nativeType(id, v.Type())
	d := &Type{}
	if id > 0 {
		d = types[id]
	}
	out := reflect.New(t).Elem()
	switch v.Kind() {
	case reflect.Struct:
		if id <= 0 {
			return v
		}
		n := 0
		for i, f := range d.Fields {
			if f.Exported {
				out.Field(n).Set(native(f.Type, v.Field(i)))
				n++
			}
		}
	case reflect.Pointer:
		if id <= 0 {
			return v
		}
		if !v.IsNil() {
			out.Set(native(d.Elem, v.Elem()))
		}
	case reflect.Slice:
		if v.IsNil() {
			return out
		}
		out.Set(reflect.MakeSlice(t, v.Len(), v.Len()))
		for i := range v.Len() {
			out.Index(i).Set(native(d.Elem, v.Index(i)))
		}
	case reflect.Array:
		for i := range v.Len() {
			out.Index(i).Set(native(d.Elem, v.Index(i)))
		}
	case reflect.Map:
		if v.IsNil() {
			return out
		}
		out.Set(reflect.MakeMap(t))
		for _, k := range v.MapKeys() {
			out.SetMapIndex(k, native(d.Elem, v.MapIndex(k)))
		}
	case reflect.Interface:
		if !v.IsNil() {
			if x := reflect.ValueOf(Native(v.Interface())); x.IsValid() {
				out.Set(x)
			}
		}
	default:
		return v
	}
	return out
}
