package howdah.hbase;

import java.util.regex.Pattern;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.hbase.HBaseConfiguration;
import org.apache.hadoop.hbase.TableName;
import org.apache.hadoop.hbase.client.Admin;
import org.apache.hadoop.hbase.client.Connection;
import org.apache.hadoop.hbase.client.ConnectionFactory;
import org.apache.hadoop.hbase.client.TableDescriptor;

/** Brings what region servers have in memory into the tables' files: on a cluster that ends and keeps its tables in S3. */
public final class Flush {
  private Flush() {}

  public static void main(String[] args) throws Exception {
    Configuration conf = HBaseConfiguration.create();
    conf.setInt("hbase.client.retries.number", 3);
    try (Connection connection = ConnectionFactory.createConnection(conf); Admin admin = connection.getAdmin()) {
      for (TableDescriptor table : admin.listTableDescriptors((Pattern) null, true))
        if (admin.isTableEnabled(table.getTableName())) admin.flush(table.getTableName());
      // Behind the tables, for a flush is none of its changes.
      admin.flush(TableName.META_TABLE_NAME);
    }
  }
}
