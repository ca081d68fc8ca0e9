import java.time.Duration;
import java.util.*;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.*;
import org.apache.kafka.common.serialization.*;

/** Prints what the Java client sees of the broker at the address that it is given. */
public class Check {
    static final long PATIENCE_MS = 20_000;

    static Map<String, Object> settings(String address, Object... more) {
        Map<String, Object> settings = new HashMap<>();
        settings.put("bootstrap.servers", address);
        for (int i = 0; i < more.length; i += 2) settings.put((String) more[i], more[i + 1]);
        return settings;
    }

    static KafkaProducer<String, String> producer(String address) {
        StringSerializer text = new StringSerializer();
        var settings = settings(address, "transactional.id", "t", "compression.type", "zstd");
        return new KafkaProducer<>(settings, text, text);
    }

    static KafkaConsumer<String, String> consumer(String address, Object... more) {
        StringDeserializer text = new StringDeserializer();
        Map<String, Object> settings = settings(address, more);
        settings.put("isolation.level", "read_committed");
        settings.put("auto.offset.reset", "earliest");
        settings.put("enable.auto.commit", "false");
        return new KafkaConsumer<>(settings, text, text);
    }

    static KafkaConsumer<String, String> member(String address) {
        String assignor = CooperativeStickyAssignor.class.getName();
        var consumer = consumer(address, "group.id", "g", "partition.assignment.strategy", assignor);
        consumer.subscribe(List.of("in"));
        return consumer;
    }

    static void send(KafkaProducer<String, String> producer, int count, String value) {
        for (int i = 0; i < count; i++) {
            producer.send(new ProducerRecord<>("in", i % 2, "k" + i, value));
        }
        producer.flush();
    }

    public static void main(String[] arguments) throws Exception {
        String address = arguments[0];
        try (Admin admin = Admin.create(settings(address))) {
            var compacted = new NewTopic("out", 1, (short) 1);
            compacted.configs(Map.of("cleanup.policy", "compact"));
            admin.createTopics(List.of(new NewTopic("in", 2, (short) 1), compacted)).all().get();
            System.out.println("topics " + new TreeSet<>(admin.listTopics().names().get()));
        }
        KafkaProducer<String, String> producer = producer(address);
        producer.initTransactions();
        producer.beginTransaction();
        send(producer, 1000, "good");
        producer.commitTransaction();
        producer.beginTransaction();
        send(producer, 10, "bad");
        producer.abortTransaction();

        KafkaConsumer<String, String> first = member(address);
        Map<String, Integer> counts = new TreeMap<>();
        Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
        long end = System.currentTimeMillis() + PATIENCE_MS;
        // Both partitions end with an abort marker: 500 records, a marker, 5 records, a marker.
        while (System.currentTimeMillis() < end
                && (first.assignment().size() < 2
                        || first.assignment().stream().anyMatch(p -> first.position(p) < 507))) {
            for (var record : first.poll(Duration.ofMillis(100))) {
                counts.merge(record.value(), 1, Integer::sum);
                var place = new TopicPartition(record.topic(), record.partition());
                offsets.put(place, new OffsetAndMetadata(record.offset() + 1));
            }
        }
        System.out.println("read " + counts);

        producer.beginTransaction();
        producer.send(new ProducerRecord<>("out", "k", "v"));
        producer.sendOffsetsToTransaction(offsets, first.groupMetadata());
        producer.commitTransaction();
        var committed = new TreeMap<Integer, Long>();
        first.committed(first.assignment())
                .forEach((place, offset) -> committed.put(place.partition(), offset.offset()));
        System.out.println("committed " + committed);

        KafkaConsumer<String, String> second = member(address);
        end = System.currentTimeMillis() + PATIENCE_MS;
        while (System.currentTimeMillis() < end
                && (first.assignment().size() != 1 || second.assignment().size() != 1)) {
            first.poll(Duration.ofMillis(50));
            second.poll(Duration.ofMillis(50));
        }
        System.out.println("shares " + first.assignment().size() + " " + second.assignment().size());

        producer.beginTransaction();
        producer.send(new ProducerRecord<>("out", "k", "zombie"));
        producer.flush();
        KafkaProducer<String, String> successor = producer(address);
        successor.initTransactions();
        try {
            producer.commitTransaction();
            System.out.println("the zombie committed");
        } catch (ProducerFencedException | InvalidProducerEpochException fenced) {
            System.out.println("the zombie is fenced");
        }
        try (var modern = consumer(address, "group.id", "n", "group.protocol", "consumer")) {
            modern.subscribe(List.of("in"));
            modern.poll(Duration.ofMillis(PATIENCE_MS));
            System.out.println("the new group protocol is silent");
        } catch (UnsupportedVersionException refused) {
            System.out.println("the new group protocol is refused");
        }
        first.close();
        second.close();
        producer.close(Duration.ZERO);
        successor.close();
    }
}
