import org.apache.beam.runners.flink.FlinkJobServerDriver;

/**
 * Beam's job server for Flink. It sends the jars of its class path along with each job, of which Flink then loads every
 * class anew. Here it reads of none: Flink has the same jar on its own class path.
 */
class JobServer {
    public static void main(String[] arguments) throws Exception {
        System.setProperty("java.class.path", "none");
        FlinkJobServerDriver.main(arguments);
    }
}
