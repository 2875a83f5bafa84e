//! For every shipped preset a record made by its specification: told as that preset, and stream, type, time, actor
//! and reason of what it becomes.

use super::*;
use crate::import::{FilePreview, Format, Presets, PreviewRequest, preview};
use crate::surroundings::Surroundings;
use crate::time::Time;

/// Looks at a file of this name and text.
fn look(name: &str, text: &str) -> FilePreview {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(name);
    std::fs::write(&file, text).unwrap();
    let request = PreviewRequest {
        paths: vec![file],
        format: crate::import::Format::Auto,
        encoding: None,
        category: None,
        zone: chrono_tz::UTC,
        mapping: None,
        presets: Presets::default(),
        records: 20,
    };
    let now = Time::parse_rfc3339("2024-01-15T10:30:00Z").unwrap();
    let view = preview(&request, &Surroundings::fixed(now, 0)).unwrap();
    view.files.into_iter().next().unwrap()
}

/// Each record in one line: stream, type, time, actor, reason.
fn told(file: &FilePreview) -> Vec<String> {
    let line = |record: &crate::import::RecordPreview| {
        let Some(event) = &record.event else {
            return format!("rejected: {}", record.reason.as_deref().unwrap_or_default());
        };
        let metadata: serde_json::Value = match &event.metadata {
            Some(metadata) => serde_json::from_str(metadata.get()).unwrap(),
            None => serde_json::Value::Null,
        };
        let reason = metadata["reason"].as_str().unwrap_or("-");
        format!(
            "{} | {} | {} | {} | {reason}",
            event.stream,
            event.event_type,
            event.time.map_or("-".to_owned(), |t| t.to_string()),
            event.actor.as_deref().unwrap_or("-"),
        )
    };
    file.records.iter().map(line).collect()
}

/// Preset, file, and the lines that its records become.
const FIXTURES: &[(&str, &str, &[&str])] = &[
    (
        "cloudevents",
        r#"{"specversion":"1.0","type":"com.example.order.placed","source":"/shop","subject":"order-7","id":"A-1","time":"2024-01-15T10:30:00.123456789Z","authid":"jo","data":{"total":12.50}}"#,
        &["/shop#order-7 | com.example.order.placed | 2024-01-15T10:30:00.123456789Z | jo | -"],
    ),
    (
        "cloudevents",
        "[{\"specversion\":\"1.0\",\"type\":\"a\",\"source\":\"/shop\",\"id\":\"1\",\"data_base64\":\"AQI=\"},\n{\"specversion\":\"1.0\",\"type\":\"b\",\"source\":\"/shop\",\"id\":\"2\",\"time\":\"2024-01-15T10:30:00+02:00\"}]",
        &[
            "/shop | a | - | - | -",
            "/shop | b | 2024-01-15T08:30:00Z | - | -",
        ],
    ),
    (
        "eventsourcingdb",
        r#"{"type":"event","payload":{"event":{"source":"https://shop","subject":"/orders/42","type":"io.shop.placed","specversion":"1.0","id":"0","time":"2024-01-15T10:30:00.5Z","datacontenttype":"application/json","predecessorhash":"0000000000000000000000000000000000000000000000000000000000000000","data":{"a":1}},"hash":"00"}}"#,
        &["/orders/42 | io.shop.placed | 2024-01-15T10:30:00.500Z | - | -"],
    ),
    (
        "cdevents",
        r#"{"context":{"version":"0.4.1","id":"271069a8","source":"/event/source/123","type":"dev.cdevents.build.queued.0.1.1","timestamp":"2023-03-20T14:27:05.315384Z"},"subject":{"id":"mySubject123","source":"/event/source/123","type":"build","content":{}}}"#,
        &[
            "build-mySubject123 | dev.cdevents.build.queued.0.1.1 | 2023-03-20T14:27:05.315384Z | - | -",
        ],
    ),
    (
        "cloudtrail",
        "{\"Records\":[{\"eventVersion\":\"1.08\",\"userIdentity\":{\"type\":\"IAMUser\",\"arn\":\"arn:aws:iam::123456789012:user/Mary\",\"userName\":\"Mary\"},\"eventTime\":\"2023-07-19T21:17:28Z\",\"eventSource\":\"s3.amazonaws.com\",\"eventName\":\"PutObject\",\"awsRegion\":\"us-east-1\",\"requestParameters\":{\"bucketName\":\"b1\"},\"eventID\":\"e1\",\"recipientAccountId\":\"123456789012\"},\n{\"eventVersion\":\"1.08\",\"userIdentity\":{\"type\":\"AWSService\",\"invokedBy\":\"ec2.amazonaws.com\"},\"eventTime\":\"2023-07-19T21:11:57Z\",\"eventSource\":\"sts.amazonaws.com\",\"eventName\":\"AssumeRole\",\"awsRegion\":\"us-east-1\",\"requestParameters\":null,\"eventID\":\"e2\",\"recipientAccountId\":\"123456789012\"}]}",
        &[
            "bucket-b1 | PutObject | 2023-07-19T21:17:28Z | arn:aws:iam::123456789012:user/Mary | -",
            "service-sts.amazonaws.com/123456789012 | AssumeRole | 2023-07-19T21:11:57Z | ec2.amazonaws.com | -",
        ],
    ),
    (
        "cloudtrail",
        r#"{"Events":[{"EventId":"e1","EventName":"ConsoleLogin","CloudTrailEvent":"{\"eventVersion\":\"1.08\",\"userIdentity\":{\"type\":\"Root\",\"principalId\":\"P\"},\"eventTime\":\"2023-07-19T21:17:28Z\",\"eventSource\":\"signin.amazonaws.com\",\"eventName\":\"ConsoleLogin\",\"awsRegion\":\"us-east-1\",\"eventID\":\"e1\"}"}]}"#,
        &["service-signin.amazonaws.com | ConsoleLogin | 2023-07-19T21:17:28Z | P | -"],
    ),
    (
        "kubernetes-audit",
        r#"{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":[{"level":"Metadata","auditID":"u1","stage":"ResponseComplete","requestURI":"/api/v1/namespaces/ns/pods/p-1","verb":"delete","user":{"username":"jo","groups":["g"]},"objectRef":{"resource":"pods","namespace":"ns","name":"p-1","apiVersion":"v1"},"kind":"Event","requestReceivedTimestamp":"2024-01-15T10:30:00.000000Z","stageTimestamp":"2024-01-15T10:30:00.250000Z","annotations":{"authorization.k8s.io/reason":"RBAC: allowed"}}]}"#,
        &["pods-ns/p-1 | delete | 2024-01-15T10:30:00.250Z | jo | RBAC: allowed"],
    ),
    (
        "okta",
        r#"{"uuid":"u","published":"2024-01-15T10:30:00.123Z","eventType":"user.session.start","version":"0","actor":{"id":"00u1","type":"User","alternateId":"jo@example.com"},"outcome":{"result":"FAILURE","reason":"INVALID_CREDENTIALS"},"target":[{"id":"00u2","type":"User"}],"transaction":{"id":"t"}}"#,
        &[
            "User-00u2 | user.session.start | 2024-01-15T10:30:00.123Z | jo@example.com | INVALID_CREDENTIALS",
        ],
    ),
    (
        "gcp-audit",
        r#"{"logName":"projects/p/logs/cloudaudit.googleapis.com%2Factivity","insertId":"i1","timestamp":"2024-01-15T10:30:00.123456789Z","receiveTimestamp":"2024-01-15T10:30:01Z","resource":{"type":"gcs_bucket"},"protoPayload":{"@type":"type.googleapis.com/google.cloud.audit.AuditLog","serviceName":"storage.googleapis.com","methodName":"storage.buckets.delete","resourceName":"projects/_/buckets/b","authenticationInfo":{"principalEmail":"jo@example.com"},"requestMetadata":{"requestAttributes":{"reason":"ticket 7"}}}}"#,
        &[
            "storage.googleapis.com-projects/_/buckets/b | storage.buckets.delete | 2024-01-15T10:30:00.123456789Z | jo@example.com | ticket 7",
        ],
    ),
    (
        "azure-activity",
        r#"{"records":[{"time":"2024-01-15T10:30:00.1234567Z","resourceId":"/SUBSCRIPTIONS/S/VM/1","operationName":"MICROSOFT.COMPUTE/VIRTUALMACHINES/DELETE","category":"Administrative","resultType":"Success","correlationId":"c","identity":{"claims":{"name":"Jo"}}}]}"#,
        &[
            "resource-/SUBSCRIPTIONS/S/VM/1 | MICROSOFT.COMPUTE/VIRTUALMACHINES/DELETE | 2024-01-15T10:30:00.123456700Z | Jo | -",
        ],
    ),
    (
        "azure-activity",
        r#"{"value":[{"eventTimestamp":"2024-01-15T10:30:00Z","resourceId":"/s/1","operationName":{"value":"Microsoft.Authorization/roleAssignments/write","localizedValue":"Create"},"caller":"jo@example.com","eventDataId":"d","correlationId":"c"}]}"#,
        &[
            "resource-/s/1 | Microsoft.Authorization/roleAssignments/write | 2024-01-15T10:30:00Z | jo@example.com | -",
        ],
    ),
    (
        "github-audit",
        r#"{"@timestamp":1705314600123,"_document_id":"d1","action":"repo.destroy","actor":"jo","org":"o","repo":"o/r","created_at":1705314600123}"#,
        &["repo-o/r | repo.destroy | 2024-01-15T10:30:00.123Z | jo | -"],
    ),
    (
        "github-webhook",
        r#"{"action":"created","issue":{"number":7,"updated_at":"2024-01-15T10:29:00Z"},"comment":{"id":1,"updated_at":"2024-01-15T10:30:00Z"},"repository":{"id":1,"full_name":"o/r"},"sender":{"login":"jo"}}
{"ref":"refs/heads/main","before":"0","after":"1","commits":[],"pusher":{"name":"jo"},"repository":{"id":1,"full_name":"o/r","pushed_at":1705314600},"sender":{"login":"jo"}}"#,
        &[
            "issue-o/r#7 | issue_comment.created | 2024-01-15T10:30:00Z | jo | -",
            "repository-o/r | push | 2024-01-15T10:30:00Z | jo | -",
        ],
    ),
    (
        "github-events",
        r#"[{"id":"22249084947","type":"WatchEvent","actor":{"id":583231,"login":"octocat"},"repo":{"id":1296269,"name":"octocat/Hello-World"},"payload":{"action":"started"},"public":true,"created_at":"2022-06-09T12:47:28Z"}]"#,
        &["repo-octocat/Hello-World | WatchEvent | 2022-06-09T12:47:28Z | octocat | -"],
    ),
    (
        "slack-audit",
        r#"{"entries":[{"id":"0123","date_create":1521214343,"action":"user_login","actor":{"type":"user","user":{"id":"W1","name":"Char","email":"char@example.com"}},"entity":{"type":"user","user":{"id":"W2","name":"Bo"}},"context":{"session_id":847288190092},"details":{"reason":"sso"}}]}"#,
        &["user-W2 | user_login | 2018-03-16T15:32:23Z | char@example.com | sso"],
    ),
    (
        "auth0",
        r#"{"log_id":"90020","data":{"date":"2024-01-15T10:30:00.123Z","type":"fp","description":"Wrong email or password.","client_id":"C","user_id":"auth0|1","user_name":"jo@example.com","log_id":"90020"}}"#,
        &[
            "user-auth0|1 | fp | 2024-01-15T10:30:00.123Z | jo@example.com | Wrong email or password.",
        ],
    ),
    (
        "gsuite",
        r#"{"kind":"admin#reports#activities","items":[{"kind":"admin#reports#activity","id":{"time":"2024-01-15T10:30:00.123Z","uniqueQualifier":"-7","applicationName":"drive","customerId":"C1"},"actor":{"email":"jo@example.com","profileId":"1"},"events":[{"type":"access","name":"download","parameters":[{"name":"primary_event","boolValue":true},{"name":"doc_id","value":"D1"}]}]}]}"#,
        &["document-D1 | download | 2024-01-15T10:30:00.123Z | jo@example.com | -"],
    ),
    (
        "box",
        r#"{"entries":[{"type":"event","event_id":"f8","event_type":"DOWNLOAD","created_at":"2024-01-15T02:30:00-08:00","created_by":{"type":"user","id":"1","login":"jo@example.com"},"source":{"item_type":"file","item_id":"9"}}]}"#,
        &["file-9 | DOWNLOAD | 2024-01-15T10:30:00Z | jo@example.com | -"],
    ),
    (
        "windows-event",
        r##"{"Event":{"System":{"Provider":{"#attributes":{"Name":"Microsoft-Windows-Security-Auditing"}},"EventID":4624,"TimeCreated":{"#attributes":{"SystemTime":"2024-01-15T10:30:00.123456Z"}},"EventRecordID":7,"Channel":"Security","Computer":"pc"},"EventData":{"SubjectUserName":"jo","SubjectDomainName":"D"}}}"##,
        &[r"host-pc | Security 4624 | 2024-01-15T10:30:00.123456Z | D\jo | -"],
    ),
    (
        "windows-event",
        r#"{"Hostname":"pc","Channel":"Microsoft-Windows-Sysmon/Operational","EventID":1,"TimeCreated":"2024-01-15T10:30:00Z","User":"D\\jo"}"#,
        &[r"host-pc | Microsoft-Windows-Sysmon/Operational 1 | 2024-01-15T10:30:00Z | D\jo | -"],
    ),
    (
        "teleport",
        r#"{"code":"T1000I","event":"user.login","time":"2024-01-15T10:30:00Z","uid":"u","user":"jo","cluster_name":"c","success":true}"#,
        &["user-jo | user.login | 2024-01-15T10:30:00Z | jo | -"],
    ),
    (
        "mongodb-atlas",
        r#"{"results":[{"id":"1","eventTypeName":"JOINED_ORG","created":"2024-01-15T10:30:00Z","orgId":"o","username":"jo@example.com","targetUsername":"bo@example.com"}]}"#,
        &["user-bo@example.com | JOINED_ORG | 2024-01-15T10:30:00Z | jo@example.com | -"],
    ),
    (
        "onelogin",
        r#"{"data":[{"id":1,"event_type_id":5,"created_at":"2024-01-15T10:30:00.123Z","account_id":7,"user_id":9,"user_name":"Bo","actor_user_id":8,"actor_user_name":"Jo","notes":"forgot"}]}"#,
        &["user-9 | 5 | 2024-01-15T10:30:00.123Z | Jo | forgot"],
    ),
    (
        "fhir-audit",
        r#"{"resourceType":"AuditEvent","id":"a1","type":{"code":"rest"},"subtype":[{"code":"read","display":"read"}],"action":"R","recorded":"2024-01-15T10:30:00+01:00","agent":[{"who":{"display":"system"},"requestor":false},{"who":{"reference":"Practitioner/p1"},"requestor":true}],"source":{"observer":{"display":"ehr"}},"entity":[{"what":{"reference":"Patient/7/_history/1"}}],"purposeOfEvent":[{"coding":[{"code":"TREAT","display":"treatment"}]}]}"#,
        &["Patient-7 | read | 2024-01-15T09:30:00Z | Practitioner-p1 | treatment"],
    ),
    (
        "fhir-provenance",
        r#"{"resourceType":"Provenance","id":"p","target":[{"reference":"http://ehr/fhir/Procedure/9"}],"occurredDateTime":"2024-01-15","recorded":"2024-01-16T10:30:00Z","activity":{"coding":[{"code":"CREATE"}]},"agent":[{"who":{"reference":"Practitioner/x"}}],"reason":[{"text":"care"}]}"#,
        &["Procedure-9 | CREATE | 2024-01-15T00:00:00Z | Practitioner-x | care"],
    ),
    (
        "fhir",
        r#"{"resourceType":"Bundle","type":"collection","entry":[{"fullUrl":"urn:uuid:1","resource":{"resourceType":"Patient","id":"1","birthDate":"1970-03-04"}},{"resource":{"resourceType":"Encounter","id":"e","subject":{"reference":"urn:uuid:1"},"period":{"start":"2020-01-01T08:00:00+01:00"},"participant":[{"individual":{"reference":"urn:uuid:dr"}}],"reasonCode":[{"text":"cough"}]}},{"resource":{"resourceType":"Observation","id":"o","subject":{"reference":"Patient/1"},"effectiveDateTime":"2020-01-01T08:05:00Z"}}]}"#,
        &[
            "Patient-1 | Patient | 1970-03-04T00:00:00Z | - | -",
            "Patient-1 | Encounter | 2020-01-01T07:00:00Z | dr | cough",
            "Patient-1 | Observation | 2020-01-01T08:05:00Z | - | -",
        ],
    ),
    (
        "eventstoredb",
        r#"{"title":"stream","entries":[{"eventId":"2","eventType":"ItemAdded","eventNumber":1,"data":"{\"sku\": 2}","streamId":"cart-1","isJson":true,"updated":"2024-01-15T10:30:01.0000001Z"},{"eventId":"1","eventType":"CartOpened","eventNumber":0,"data":"{\"sku\": 1}","streamId":"cart-1","isJson":true,"updated":"2024-01-15T10:30:00Z"}]}"#,
        &[
            "cart-1 | CartOpened | 2024-01-15T10:30:00Z | - | -",
            "cart-1 | ItemAdded | 2024-01-15T10:30:01.000000100Z | - | -",
        ],
    ),
    (
        "debezium",
        r#"{"before":null,"after":{"id":1,"name":"a"},"source":{"connector":"mysql","ts_ms":0,"snapshot":"true","db":"inventory","table":"products"},"op":"r","ts_ms":1705314600000}
{"before":{"id":1,"name":"a"},"after":null,"source":{"connector":"mysql","ts_ms":1705314601000,"snapshot":"false","db":"inventory","table":"products"},"op":"d","ts_ms":1705314601500}"#,
        &[
            "products-1 | Created | 2024-01-15T10:30:00Z | - | -",
            "products-1 | Deleted | 2024-01-15T10:30:01Z | - | -",
        ],
    ),
    (
        "debezium",
        r#"{"schema":{"type":"struct"},"payload":{"before":{"sku":"x","n":1},"after":{"sku":"x","n":2},"source":{"ts_ms":1705314600000,"table":"stock"},"op":"u","ts_ms":1705314600009}}"#,
        &["stock-x | Changed | 2024-01-15T10:30:00Z | - | -"],
    ),
    (
        "maxwell",
        r#"{"database":"d","table":"t","type":"update","ts":1705314600,"xid":7,"commit":true,"data":{"id":1,"a":2,"b":3},"old":{"a":1}}"#,
        &["t-1 | Changed | 2024-01-15T10:30:00Z | - | -"],
    ),
    (
        "canal",
        r#"{"data":[{"id":"1","a":"2"},{"id":"2","a":"3"}],"database":"d","es":1705314600000,"id":4,"isDdl":false,"mysqlType":{},"old":[{"a":"1"},{"a":"2"}],"pkNames":["id"],"sql":"","table":"t","ts":1705314600123,"type":"UPDATE"}"#,
        &[
            "t-1 | Changed | 2024-01-15T10:30:00Z | - | -",
            "t-2 | Changed | 2024-01-15T10:30:00Z | - | -",
        ],
    ),
    (
        "dynamodb",
        r#"{"Item":{"aggregate_id":{"S":"order-789"},"version":{"N":"5"},"event_type":{"S":"OrderShipped"},"event_data":{"M":{"trackingNumber":{"S":"1Z999AA1234567890"},"carrier":{"S":"UPS"},"estimatedDelivery":{"S":"2024-01-18"}}},"timestamp":{"S":"2024-01-15T14:30:00Z"},"metadata":{"M":{"userId":{"S":"user-123"},"correlationId":{"S":"corr-abc"}}}}}"#,
        &["order-789 | OrderShipped | 2024-01-15T14:30:00Z | user-123 | -"],
    ),
    (
        "message-db",
        "id,stream_name,type,position,global_position,data,metadata,time\n3f2a,account-123,Withdrawn,0,11,\"{\"\"amount\"\": 12.50}\",\"{\"\"userId\"\": \"\"jo\"\"}\",2024-01-15 10:30:00.123456\n",
        &["account-123 | Withdrawn | 2024-01-15T10:30:00.123456Z | jo | -"],
    ),
    (
        "marten",
        r#"{"seq_id":1,"id":"i","stream_id":"3fa85f64-5717-4562-b3fc-2c963f66afa6","version":1,"data":{"a":1},"type":"order_placed","timestamp":"2024-01-15T10:30:00+00:00","tenant_id":"*DEFAULT*","mt_dotnet_type":"Shop.OrderPlaced, Shop","user_name":"jo"}"#,
        &["3fa85f64-5717-4562-b3fc-2c963f66afa6 | order_placed | 2024-01-15T10:30:00Z | jo | -"],
    ),
    (
        "rails-event-store",
        r#"{"id":1,"event_id":"e","event_type":"OrderPlaced","metadata":"{\"correlation_id\":\"c\"}","data":"\\x7b226f72646572223a377d","created_at":"2024-01-15T10:30:00.123456Z","valid_at":null,"stream":"order-7","position":0}"#,
        &["order-7 | OrderPlaced | 2024-01-15T10:30:00.123456Z | - | -"],
    ),
    (
        "commanded",
        r#"{"event_id":"e","event_type":"Elixir.Bank.Opened","causation_id":"c","correlation_id":"k","data":{"n":1},"metadata":{"user":"jo"},"created_at":"2024-01-15T10:30:00.123456Z","stream_uuid":"account-1","stream_version":1}"#,
        &["account-1 | Elixir.Bank.Opened | 2024-01-15T10:30:00.123456Z | jo | -"],
    ),
    (
        "axon",
        r#"{"globalIndex":0,"aggregateIdentifier":"7","sequenceNumber":0,"type":"Order","payloadType":"com.shop.OrderPlaced","timeStamp":"2024-01-15T10:30:00.123Z","payload":"{\"a\":1}","metaData":"{\"userId\":\"jo\"}","eventIdentifier":"e"}"#,
        &["Order-7 | com.shop.OrderPlaced | 2024-01-15T10:30:00.123Z | jo | -"],
    ),
    (
        "axon-snake",
        "global_index,aggregate_identifier,sequence_number,type,payload_type,time_stamp,payload,meta_data,event_identifier\n1,7,0,Order,com.shop.OrderPlaced,2024-01-15T10:30:00.123Z,\"{\"\"a\"\":1}\",{},e\n",
        &["Order-7 | com.shop.OrderPlaced | 2024-01-15T10:30:00.123Z | - | -"],
    ),
    (
        "python-eventsourcing",
        r#"{"originator_id":"3fa8","originator_version":1,"topic":"dogs:Dog.Registered","state":"{\"timestamp\":{\"_type_\":\"datetime_iso\",\"_data_\":\"2024-01-15T10:30:00.123456+00:00\"},\"name\":\"Fido\"}","notification_id":1}"#,
        &["3fa8 | Dog.Registered | 2024-01-15T10:30:00.123456Z | - | -"],
    ),
    (
        "emmett",
        r#"{"stream_id":"cart-1","stream_position":1,"partition":"x","message_kind":"E","message_data":{"a":1},"message_metadata":{"userId":"jo"},"message_schema_version":"1","message_type":"ItemAdded","message_id":"m","is_archived":false,"global_position":1,"transaction_id":7,"created":"2024-01-15T10:30:00Z"}"#,
        &["cart-1 | ItemAdded | 2024-01-15T10:30:00Z | jo | -"],
    ),
    (
        "cqrs-es",
        r#"{"aggregate_type":"account","aggregate_id":"7","sequence":1,"event_type":"Opened","event_version":"1.0","payload":{"a":1},"metadata":{"userId":"jo"}}"#,
        &["account-7 | Opened | - | jo | -"],
    ),
    (
        "spatie",
        r#"{"id":1,"aggregate_uuid":"3fa8","aggregate_version":1,"event_version":1,"event_class":"App\\Events\\MoneyAdded","event_properties":"{\"amount\":100}","meta_data":"{\"user_id\":5}","created_at":"2024-01-15 10:30:00"}"#,
        &["aggregate-3fa8 | App\\Events\\MoneyAdded | 2024-01-15T10:30:00Z | 5 | -"],
    ),
    (
        "cloudtrail-insight",
        r#"{"Records":[{"eventVersion":"1.07","eventTime":"2019-11-14T10:51:00Z","awsRegion":"us-east-1","eventID":"e","eventType":"AwsCloudTrailInsight","recipientAccountId":"1","sharedEventID":"s","insightDetails":{"state":"End","eventSource":"ssm.amazonaws.com","insightType":"ApiCallRateInsight"},"eventCategory":"Insight"}]}"#,
        &["service-ssm.amazonaws.com/1 | ApiCallRateInsight | 2019-11-14T10:51:00Z | - | -"],
    ),
    (
        "cloudtrail-digest",
        r#"{"awsAccountId":"1","digestStartTime":"2015-08-17T14:01:31Z","digestEndTime":"2015-08-17T15:01:31Z","digestS3Bucket":"b","digestS3Object":"o","logFiles":[]}"#,
        &["trail-b/1 | DigestDelivered | 2015-08-17T15:01:31Z | - | -"],
    ),
    (
        "s3-notification",
        r#"{"Records":[{"eventVersion":"2.1","eventSource":"aws:s3","awsRegion":"us-west-2","eventTime":"2024-01-15T10:30:00.000Z","eventName":"ObjectCreated:Put","userIdentity":{"principalId":"P"},"s3":{"bucket":{"name":"b"},"object":{"key":"k.jpg"}}}]}"#,
        &["object-b/k.jpg | ObjectCreated:Put | 2024-01-15T10:30:00Z | P | -"],
    ),
    (
        "debezium-flat",
        r#"{"id":1,"name":"a","__op":"u","__table":"products","__source_ts_ms":1705314600000,"__deleted":"false"}
{"id":1,"name":"a","__op":"d","__table":"products","__source_ts_ms":1705314600001,"__deleted":"true"}"#,
        &[
            "products-1 | Changed | 2024-01-15T10:30:00Z | - | -",
            "products-1 | Deleted | 2024-01-15T10:30:00.001Z | - | -",
        ],
    ),
    (
        "dynamodb-stream",
        r#"{"Records":[{"eventID":"1","eventName":"MODIFY","eventSource":"aws:dynamodb","awsRegion":"us-east-1","dynamodb":{"ApproximateCreationDateTime":1705314600,"Keys":{"id":{"S":"c1"}},"NewImage":{"id":{"S":"c1"},"n":{"N":"2"}},"OldImage":{"id":{"S":"c1"},"n":{"N":"1"}},"SequenceNumber":"7"}}]}"#,
        &["item-c1 | Changed | 2024-01-15T10:30:00Z | - | -"],
    ),
];

#[test]
fn every_shipped_preset_reads_what_its_specification_shows() {
    let mut wrong = Vec::new();
    for (preset, text, want) in FIXTURES {
        let name = if text.starts_with(['{', '[']) {
            "signin.json"
        } else {
            "signin.csv"
        };
        let file = look(name, text);
        let found = told(&file);
        if file.preset.as_deref() != Some(*preset) || found != *want {
            wrong.push(format!(
                "{preset}: told as {:?} ({})\n  {found:#?}\n  {want:#?} {:?}",
                file.preset, file.why, file.error
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Shapes in which sources, their collectors and their tools hand the same records on, with members missing; the
/// golden beside them says what each becomes.
#[test]
fn variants_of_formats_are_read_as_they_were() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/formats");
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending != "golden"))
        .collect();
    files.sort();
    let mut found = String::new();
    for path in files {
        let name = path.file_name().unwrap().to_str().unwrap();
        let file = look(name, &std::fs::read_to_string(&path).unwrap());
        let preset = file.preset.as_deref().unwrap_or("by its keys");
        let error = file.error.as_deref().unwrap_or_default();
        let lines = told(&file).join("\n    ");
        found.push_str(&format!("{name}: {preset}{error}\n    {lines}\n"));
    }
    let golden = folder.join("told.golden");
    if std::env::var_os("UPDATE_GOLDENS").is_some() {
        std::fs::write(&golden, &found).unwrap();
    }
    let want = std::fs::read_to_string(&golden).unwrap_or_default();
    assert!(found == want, "{found}");
}

#[test]
fn every_shipped_preset_has_a_fixture() {
    for preset in shipped() {
        let has = FIXTURES.iter().any(|(name, _, _)| *name == preset.name);
        assert!(has, "{} has none", preset.name);
        assert!(
            preset.specification.starts_with("https://"),
            "{}",
            preset.name
        );
    }
}

#[test]
fn what_no_preset_knows_is_read_by_its_keys() {
    for text in [
        r#"{"orderId": 7, "eventType": "OrderPlaced", "timestamp": "2024-01-15T10:30:00Z"}"#,
        r#"{"stream":"a-1","type":"T","data":{"x":1},"actor":"jo"}"#,
        r#"{"action":"created","timestamp":"2024-01-15T10:30:00Z"}"#,
        r#"{"kind":"Event","involvedObject":{"name":"p"},"requestURI":"x"}"#,
        "order_id,activity,timestamp\n7,placed,2024-01-15T10:30:00Z\n",
    ] {
        assert_eq!(look("x.jsonl", text).preset, None, "{text}");
    }
}

#[test]
fn a_preset_of_ones_own_goes_before_the_shipped_ones() {
    let folder = tempfile::tempdir().unwrap();
    let presets = folder.path().join("presets");
    std::fs::create_dir(&presets).unwrap();
    let own = "name = \"my-till\"\ntitle = \"Till\"\nspecification = \"\"\ntested = \"specification\"\norder = \"total\"\n[match]\nhas = [\"till\"]\n[mapping.event]\nstream = \"till-{till}\"\ntype = \"{what}\"\n";
    std::fs::write(presets.join("till.toml"), own).unwrap();
    let found = Presets::find(Some(folder.path()), Some("my-till")).unwrap();
    assert_eq!(found.own.len(), 1);
    assert_eq!(found.chosen.unwrap().title, "Till");
    let error = Presets::find(Some(folder.path()), Some("nothing")).unwrap_err();
    assert_eq!(error.to_string(), "there is no format \"nothing\"");
    std::fs::write(presets.join("till.toml"), own.replace("{till}", "{till")).unwrap();
    let error = Presets::find(Some(folder.path()), None)
        .unwrap_err()
        .to_string();
    assert!(error.contains("till.toml:9:"), "{error}");
}

/// What the wizard saves beside a store is known again by the next import into it.
#[test]
fn a_preset_saved_beside_a_store_is_known_from_then_on() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("x.annals");
    let file = folder.path().join("odd.jsonl");
    let text = "{\"Wann\":\"2024-01-15T10:30:00Z\",\"Wer.genau\":\"ann\",\"Was\":\"sold\",\"a\\\"b\":1,\"note\":null}\n\
                {\"Wann\":\"2024-01-16T10:30:00Z\",\"Wer.genau\":\"ben\",\"Was\":\"sold\",\"a\\\"b\":1,\"x\":1}\n";
    std::fs::write(&file, text).unwrap();
    let mapping = "[event]\nstream = \"till-1\"\ntype = \"{Was}\"\ntime = \"{Wann}\"\nactor = '{\"Wer.genau\"}'\n";
    let request = |presets: Presets, mapping: Option<Mapping>| PreviewRequest {
        paths: vec![file.clone()],
        format: Format::Auto,
        encoding: None,
        category: None,
        zone: chrono_tz::UTC,
        mapping,
        presets,
        records: 10,
    };
    let surroundings = crate::surroundings::Surroundings::system();
    let mapped = request(
        Presets::default(),
        Some(Mapping::from_toml("m", mapping).unwrap()),
    );
    let saved = save_preset(&store, "kasse", "Kasse", &mapped, false, &surroundings).unwrap();
    assert_eq!(saved.has, ["Wann", "\"Wer.genau\"", "Was"]);
    let presets = Presets::of_store(Some(&store), None, None).unwrap();
    let seen = crate::import::preview(&request(presets, None), &surroundings).unwrap();
    let seen = &seen.files[0];
    assert_eq!(seen.preset.as_deref(), Some("kasse"), "{}", seen.why);
    let event = seen.records[0].event.as_ref().unwrap();
    assert_eq!(
        (
            event.stream.as_str(),
            event.event_type.as_str(),
            event.actor.as_deref()
        ),
        ("till-1", "sold", Some("ann"))
    );

    let again = save_preset(&store, "kasse", "", &mapped, false, &surroundings).unwrap_err();
    assert!(
        again.to_string().contains("there is a preset of this name"),
        "{again}"
    );
    let named = save_preset(&store, "../x", "", &mapped, true, &surroundings).unwrap_err();
    assert!(named.to_string().contains("small letters"), "{named}");
    let nothing = save_preset(
        &store,
        "n",
        "",
        &request(Presets::default(), None),
        true,
        &surroundings,
    );
    assert!(
        nothing
            .unwrap_err()
            .to_string()
            .contains("nothing says yet")
    );
}
