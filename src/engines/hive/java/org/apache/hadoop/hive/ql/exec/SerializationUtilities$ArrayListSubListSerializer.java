package org.apache.hadoop.hive.ql.exec;

import java.util.ArrayList;
import java.util.List;
import org.apache.hive.com.esotericsoftware.kryo.Kryo;
import org.apache.hive.com.esotericsoftware.kryo.Serializer;
import org.apache.hive.com.esotericsoftware.kryo.io.Input;
import org.apache.hive.com.esotericsoftware.kryo.io.Output;

/**
 * In the place of Hive's own class of this name, which reaches into fields that a part of an ArrayList no longer has in Java 9 and later: without
 * it no plan of a job can be written. A part is written as the list of its elements.
 */
class SerializationUtilities$ArrayListSubListSerializer extends Serializer<List<?>> {
  public SerializationUtilities$ArrayListSubListSerializer() {}

  @Override
  public void write(Kryo kryo, Output output, List<?> list) {
    output.writeInt(list.size(), true);
    for (Object element : list) kryo.writeClassAndObject(output, element);
  }

  @Override
  public List<?> read(Kryo kryo, Input input, Class<List<?>> type) {
    int size = input.readInt(true);
    List<Object> list = new ArrayList<>(size);
    kryo.reference(list);
    for (int i = 0; i < size; i++) list.add(kryo.readClassAndObject(input));
    return list;
  }

  @Override
  public List<?> copy(Kryo kryo, List<?> original) {
    List<Object> list = new ArrayList<>(original.size());
    kryo.reference(list);
    for (Object element : original) list.add(kryo.copy(element));
    return list;
  }
}
