//! The ports of both stores, told once.

/// The ports of a store that has a `queue` and a `cabinet`.
macro_rules! store_ports {
    ($store:ty) => {
        #[async_trait]
        impl Queue for $store {
            async fn enqueue(&self, job: &Job) -> Result<Enqueued, StoreError> {
                self.queue.enqueue(job).await
            }

            async fn lease(&self) -> Result<Option<Lease>, StoreError> {
                self.queue.lease().await
            }

            async fn extend(&self, lease: &Lease) -> Result<bool, StoreError> {
                self.queue.extend(lease).await
            }

            async fn ack(&self, lease: &Lease, outcome: Acked) -> Result<bool, StoreError> {
                self.queue.ack(lease, outcome).await
            }

            async fn retry(&self, lease: &Lease, at: DateTime<Utc>) -> Result<bool, StoreError> {
                self.queue.retry(lease, at).await
            }

            async fn bury(&self, lease: &Lease, why: &str) -> Result<bool, StoreError> {
                self.queue.bury(lease, why).await
            }

            async fn depth(&self) -> Result<QueueDepth, StoreError> {
                self.queue.depth().await
            }

            async fn ready(&self) -> Result<(), StoreError> {
                self.queue.ready().await
            }
        }

        #[async_trait]
        impl Vault for $store {
            async fn get(
                &self,
                repo: &RepoId,
                kind: VaultKind,
                key: &str,
            ) -> Result<Option<SourceBytes>, StoreError> {
                self.cabinet.get(repo, kind, key).await
            }

            async fn put(
                &self,
                repo: &RepoId,
                kind: VaultKind,
                key: &str,
                value: &SourceBytes,
                ttl: Duration,
            ) -> Result<(), StoreError> {
                self.cabinet.put(repo, kind, key, value, ttl).await
            }

            async fn remove(
                &self,
                repo: &RepoId,
                kind: VaultKind,
                key: &str,
            ) -> Result<(), StoreError> {
                self.cabinet.remove(repo, kind, key).await
            }

            async fn keys(
                &self,
                repo: &RepoId,
                kind: VaultKind,
                prefix: &str,
            ) -> Result<Vec<String>, StoreError> {
                self.cabinet.keys(repo, kind, prefix).await
            }

            async fn holders(&self) -> Result<Vec<RepoId>, StoreError> {
                self.cabinet.holders(self.queue.buried().await?).await
            }

            async fn destroy(&self, repo: &RepoId) -> Result<Destroyed, StoreError> {
                let jobs = self.queue.forget(repo).await?;
                let mut destroyed = self.cabinet.destroy(repo).await?;
                if jobs > 0 {
                    destroyed.insert("job".to_owned(), jobs);
                }
                Ok(destroyed)
            }
        }

        #[async_trait]
        impl Ledger for $store {
            async fn read(&self, book: Book, name: &str) -> Result<Option<Page>, StoreError> {
                self.cabinet.read(book, name).await
            }

            async fn write(
                &self,
                book: Book,
                name: &str,
                text: &SourceBytes,
                over: Option<&Page>,
                keep: Duration,
            ) -> Result<bool, StoreError> {
                self.cabinet.write(book, name, text, over, keep).await
            }

            async fn strike(&self, book: Book, name: &str) -> Result<(), StoreError> {
                self.cabinet.strike(book, name).await
            }

            async fn pages(&self, book: Book) -> Result<Vec<String>, StoreError> {
                self.cabinet.pages(book).await
            }
        }

        #[async_trait]
        impl Receipts for $store {
            async fn append(&self, receipt: &Receipt, keep: Duration) -> Result<(), StoreError> {
                self.cabinet.append(receipt, keep).await
            }

            async fn settle(
                &self,
                change: &ChangeId,
                settled: &Settled,
                keep: Duration,
            ) -> Result<(), StoreError> {
                self.cabinet.settle(change, settled, keep).await
            }

            async fn list(
                &self,
                repo: &RepoId,
                change: Option<u64>,
            ) -> Result<Vec<Receipt>, StoreError> {
                self.cabinet.list(repo, change).await
            }

            async fn repositories(&self) -> Result<Vec<RepoId>, StoreError> {
                self.cabinet.repositories().await
            }

            async fn verify(&self, repo: &RepoId) -> Result<Chain, StoreError> {
                self.cabinet.verify(repo).await
            }
        }
    };
}
pub(crate) use store_ports;
